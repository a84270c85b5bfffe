"""Who calls a server, and what it may do."""
