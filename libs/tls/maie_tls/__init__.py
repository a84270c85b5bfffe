"""Certificates of a mesh: read and watched, made and renewed."""
