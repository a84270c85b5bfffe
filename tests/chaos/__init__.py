"""Breaks a mesh on purpose, again and again, and counts what came of every job."""
