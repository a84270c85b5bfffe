"""Which speaker each voice of a chunk is, once the speakers are known."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Final

import numpy as np
from numpy.typing import NDArray

from maie_diarization.clustering.linkage import Floats
from maie_diarization.engine import Turn, Voice

_NOBODY: Final = -1
_FRAME_SECONDS: Final = 0.1


def assign(voices: Sequence[Voice], centroids: Floats) -> list[int]:
    """Finds the most similar speaker of each voice.

    The voices of one window are different speakers, unless there are fewer speakers. A voice
    without embedding is the speaker whom other windows have there, or next to it.

    Args:
        voices: The voices of a chunk.
        centroids: The speakers, of shape (speakers, dimensions); at least one.

    Returns:
        The number of each voice's speaker.
    """
    if len(centroids) == 1:
        # Of no dimension, too, where no voice has enough clean speech.
        return [0] * len(voices)
    speakers = np.full(len(voices), _NOBODY)
    windows = list(_windows(voices))
    for places in windows:
        similarity = {
            place: centroids @ embedding
            for place in places
            if (embedding := voices[place].embedding) is not None
        }
        if similarity:
            speakers[list(similarity)] = _best(np.stack(list(similarity.values())))
    heard = _heard(voices, speakers, len(centroids))
    for places in windows:
        for place in places:
            if speakers[place] == _NOBODY:
                scores = _nearness(heard, voices[place].turns)
                scores[[each for each in speakers[places] if each != _NOBODY]] -= 1
                speakers[place] = int(np.argmax(scores))
    return [int(each) for each in speakers]


def _windows(voices: Sequence[Voice]) -> Iterator[list[int]]:
    order = sorted(range(len(voices)), key=lambda place: voices[place].window)
    for _, places in groupby(order, key=lambda place: voices[place].window):
        yield list(places)


def _best(similarity: Floats) -> NDArray[np.int64]:
    """Gives a window's voices their speakers, the most similar pair first, each at most once."""
    found = np.argmax(similarity, axis=1)
    left = similarity.copy()
    for _ in range(min(similarity.shape)):
        voice, speaker = np.unravel_index(np.argmax(left), left.shape)
        found[voice] = speaker
        left[voice], left[:, speaker] = -np.inf, -np.inf
    return found


def _heard(voices: Sequence[Voice], speakers: NDArray[np.int64], count: int) -> NDArray[np.bool_]:
    """Whether each speaker is known to speak in each tenth of a second of the chunk."""
    frames = max((_frame(voice.window.end) for voice in voices), default=0)
    heard = np.zeros((frames + 1, count), np.bool_)
    for voice, speaker in zip(voices, speakers.tolist(), strict=True):
        if speaker != _NOBODY:
            for turn in voice.turns:
                heard[_frame(turn.start) : _frame(turn.end) + 1, speaker] = True
    return heard


def _nearness(heard: NDArray[np.bool_], turns: Sequence[Turn]) -> NDArray[np.float64]:
    """How near each speaker speaks to some turns: 1 at the same time, 0 nowhere."""
    frames = np.arange(len(heard))
    distance = np.min(
        [
            np.maximum(0, np.maximum(_frame(turn.start) - frames, frames - _frame(turn.end)))
            for turn in turns
        ],
        axis=0,
    )
    return np.max(heard / (1.0 + distance)[:, np.newaxis], axis=0)


def _frame(seconds: float) -> int:
    return round(seconds / _FRAME_SECONDS)
