"""Backup and restore of a mesh: the streams of the broker and the objects of its jobs."""
