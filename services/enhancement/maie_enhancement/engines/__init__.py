"""The engines; each file imports one engine's library."""
