"""Finals with punctuation and casing, while the session goes on."""
