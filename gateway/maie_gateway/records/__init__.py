"""Job records in the broker, who follows them, and what is kept apart from them."""
