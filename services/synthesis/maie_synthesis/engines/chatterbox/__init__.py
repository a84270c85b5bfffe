"""Chatterbox Turbo: speech in the voice of a reference recording, on a CPU or a GPU."""
