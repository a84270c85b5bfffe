"""A track's way from the client's messages to what recognises it."""
