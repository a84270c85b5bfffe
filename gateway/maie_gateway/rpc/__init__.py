"""The gateway's services."""
