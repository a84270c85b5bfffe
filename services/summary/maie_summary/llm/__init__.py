"""Summaries by language models."""
