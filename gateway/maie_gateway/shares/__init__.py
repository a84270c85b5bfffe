"""Shares: links by which others read one job, without credentials of their own."""
