"""The engines; each imports one engine's library."""
