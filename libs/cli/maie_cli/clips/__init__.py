"""Cuts the phrases of a reading out of its recording, and stores them as clips."""
