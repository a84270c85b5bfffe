"""Models that judge whether a speaker is done; each in a module of its own."""
