"""What becomes of a session at its end: its transcript, its job, its summary."""
