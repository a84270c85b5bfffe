"""Resumable uploads: a recording in several calls, at any gateway, which becomes a job."""
