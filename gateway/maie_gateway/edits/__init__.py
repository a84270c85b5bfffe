"""Corrected transcripts: how corrections are applied, and how revisions are stored. Pure."""
