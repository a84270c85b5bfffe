"""Enhancement by language models."""
