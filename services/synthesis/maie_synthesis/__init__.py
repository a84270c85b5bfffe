"""The synthesis stage: text as speech."""
