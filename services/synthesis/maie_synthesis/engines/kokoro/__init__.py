"""Kokoro: natural voices by a small neural model, on a CPU or a GPU."""
