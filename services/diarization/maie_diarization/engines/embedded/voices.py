"""The voices of a window: when each speaks, and the frames in which nobody else does."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from maie_diarization.engine import SAMPLE_RATE, Turn
from maie_diarization.engines.embedded.mel import FRAME
from maie_diarization.engines.embedded.segmentation import FRAME_STEP, Window, frame_centers


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
    edges = np.flatnonzero(np.diff(np.concatenate([[False], active, [False]]).astype(np.int8)))
    places = window.start + np.round(frame_centers(len(active) + 1) - FRAME_STEP / 2)[edges]
    places[edges == 0] = window.start
    places[edges == len(active)] = window.end
    times = np.minimum(places, window.end).reshape(-1, 2) / SAMPLE_RATE
    return tuple(Turn(start=start, end=end) for start, end in times.tolist() if start < end)


def _mel_frames(window: Window, mask: NDArray[np.bool_]) -> NDArray[np.int64]:
    """The frames of 10 ms of the chunk whose middle is in a frame of the mask."""
    frames = np.arange(-(-window.start // FRAME), window.end // FRAME)
    places = np.round((frames * FRAME - window.start - frame_centers(1)[0]) / FRAME_STEP)
    return frames[mask[np.clip(places.astype(int), 0, len(mask) - 1)]]
