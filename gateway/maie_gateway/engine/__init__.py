"""What moves jobs on: the conductor's loop, fair shares, workers, stalled jobs."""
