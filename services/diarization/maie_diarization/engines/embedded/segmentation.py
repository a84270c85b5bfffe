"""Which of up to three speakers of a window speaks when: PyanNet over windows of five seconds."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from maie_diarization.engine import SAMPLE_RATE, Samples, SpeechRange
from maie_diarization.engines.windows import window_starts

Scores = NDArray[np.float32]
"""Probabilities that a speaker of the window speaks, of shape (frames, 3)."""

# What PyanNet was trained on.
WINDOW: Final = 5 * SAMPLE_RATE
# Each moment is in five windows, whose mean is right more often than one of them.
STEP: Final = 1 * SAMPLE_RATE
# PyanNet's frames: the samples from one to the next, and those that the first one sees.
FRAME_STEP: Final = 270
FRAME_SIZE: Final = 991
# The windows of a call take about 80 MB.
_BATCH: Final = 8
_FULL_SCALE: Final = np.float32(32768)


@dataclass(kw_only=True, frozen=True, slots=True, eq=False)
class Window:
    """A window and what PyanNet says of it.

    Attributes:
        start: The first sample in the chunk.
        end: The last sample in the chunk, exclusive.
        scores: The probabilities.
    """

    start: int
    end: int
    scores: Scores


def segment(
    model: onnxruntime.InferenceSession,
    samples: Samples,
    speech: Sequence[SpeechRange],
    heartbeat: Callable[[], None],
) -> Iterator[Window]:
    """Runs PyanNet over all windows in which somebody speaks, in order.

    Args:
        model: PyanNet.
        samples: The chunk.
        speech: Its speech.
        heartbeat: Called for every few windows.
    """
    starts = [
        start
        for start in window_starts(len(samples), WINDOW, STEP)
        if any(each.start < start + WINDOW and each.end > start for each in speech)
    ]
    for first in range(0, len(starts), _BATCH):
        batch = starts[first : first + _BATCH]
        sound = np.stack([_sound(samples, start) for start in batch])
        (scores,) = model.run(None, {"samples": sound[:, np.newaxis]})
        for start, each in zip(batch, scores, strict=True):
            yield Window(start=start, end=min(start + WINDOW, len(samples)), scores=each)
        heartbeat()


def _sound(samples: Samples, start: int) -> NDArray[np.float32]:
    """A window's samples, -1 to 1; silence follows a chunk that is shorter."""
    sound = np.zeros(WINDOW, np.float32)
    part = samples[start : start + WINDOW]
    sound[: len(part)] = part / _FULL_SCALE
    return sound
