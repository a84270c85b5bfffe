"""The voices of a window: when each speaks, and the frames in which nobody else does."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from maie_diarization.engine import SAMPLE_RATE, Turn
from maie_diarization.engines.embedded.background import Background
from maie_diarization.engines.embedded.mel import FRAME, Mels
from maie_diarization.engines.embedded.segmentation import FRAME_SIZE, FRAME_STEP, Window


@dataclass(kw_only=True, frozen=True, slots=True, eq=False)
class LocalSpeaker:
    """One of the speakers of a window.

    Attributes:
        window: The window's time.
        turns: When the speaker speaks.
        clean: The frames of 10 ms of the chunk in which only this speaker speaks.
    """

    window: Turn
    turns: tuple[Turn, ...]
    clean: NDArray[np.int64]


def without_murmur(
    window: Window, active: NDArray[np.bool_], mels: Mels, quiet: Background
) -> NDArray[np.bool_]:
    """Takes out what is no louder than the background.

    Args:
        window: The window.
        active: Whether each of its speakers speaks; shape (frames, speakers).
        mels: The power of the chunk.
        quiet: The chunk's background.
    """
    kept = active.copy()
    for speaker in range(active.shape[1]):
        for first, last in _runs(active[:, speaker]):
            start, end = _place(window, first) // FRAME, _place(window, last) // FRAME
            kept[first:last, speaker] &= not quiet.is_murmur(mels[start:end])
    return kept


def local_speakers(window: Window, active: NDArray[np.bool_]) -> Iterator[LocalSpeaker]:
    """The speakers of a window who speak at all.

    Args:
        window: The window.
        active: Whether each of its speakers speaks; shape (frames, speakers).
    """
    alone = active & (active.sum(axis=1, keepdims=True) == 1)
    for speaker in range(active.shape[1]):
        if turns := _turns(window, active[:, speaker]):
            yield LocalSpeaker(
                window=Turn(start=window.start / SAMPLE_RATE, end=window.end / SAMPLE_RATE),
                turns=turns,
                clean=_mel_frames(window, alone[:, speaker]),
            )


def _turns(window: Window, active: NDArray[np.bool_]) -> tuple[Turn, ...]:
    """The runs of active frames; the first and the last frame reach to the window's edges."""
    return tuple(
        Turn(start=start / SAMPLE_RATE, end=end / SAMPLE_RATE)
        for first, last in _runs(active)
        if (start := _place(window, first))
        < (end := window.end if last == len(active) else _place(window, last))
    )


def _runs(active: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """The first frame of each run of active ones, and the last, exclusive."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], active, [False]]).astype(np.int8)))
    return [(first, last) for first, last in edges.reshape(-1, 2).tolist()]


def _place(window: Window, frame: int) -> int:
    """Where a frame begins, in samples of the chunk."""
    offset = round(FRAME_SIZE / 2 - FRAME_STEP / 2) if frame else 0
    return min(window.start + frame * FRAME_STEP + offset, window.end)


def _mel_frames(window: Window, mask: NDArray[np.bool_]) -> NDArray[np.int64]:
    """The frames of 10 ms of the chunk whose middle is in a frame of the mask."""
    frames = np.arange(-(-window.start // FRAME), window.end // FRAME)
    places = np.round((frames * FRAME - window.start - FRAME_SIZE / 2) / FRAME_STEP)
    return frames[mask[np.clip(places.astype(int), 0, len(mask) - 1)]]
