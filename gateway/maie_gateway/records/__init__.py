"""Job records in the broker, their followers, and the names and secrets stored apart."""
