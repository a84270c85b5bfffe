"""Where the windows of a chunk are."""

from __future__ import annotations


def window_starts(length: int, window: int, step: int) -> list[int]:
    """The first sample of each window; the last one ends where the chunk does.

    Args:
        length: The samples of the chunk; the one window of a shorter chunk begins with it.
        window: The samples of a window.
        step: The samples from one window to the next at most.
    """
    starts = list(range(0, max(1, length - window + 1), step))
    if starts[-1] + window < length:
        starts.append(length - window)
    return starts
