"""The host of a stage's work: one service from start to drain, whatever carries its work."""
