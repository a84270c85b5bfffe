"""The speech recognition stage and its engines."""
