"""Runs jobs: the conductor's loop, fair shares, live workers, stalled jobs."""
