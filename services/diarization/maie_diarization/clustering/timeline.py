"""Who speaks when in a chunk: the windows' voices, of which several see the same moment."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from maie_diarization.engine import Turn, Voice

# Frames of a second.
_FRAMES: Final = 100
# A speaker's shorter pause is a part of the turn, and a shorter turn is noise. By measurement.
LONGEST_PAUSE: Final = 0.25
SHORTEST_TURN: Final = 0.15


@dataclass(kw_only=True, frozen=True, slots=True, order=True)
class SpeakerTurn:
    """A time in which a speaker speaks; turns of different speakers may overlap.

    Attributes:
        start: Seconds from the chunk's start.
        end: Seconds, exclusive.
        speaker: The speaker's number.
    """

    start: float
    end: float
    speaker: int


def turns(voices: Sequence[Voice], speakers: Sequence[int]) -> list[SpeakerTurn]:
    """Joins the voices of a chunk to turns.

    At each moment as many speak as the windows over it say in the mean; they are those that the
    most windows have there.

    Args:
        voices: The chunk's voices.
        speakers: The number of each voice's speaker, as `identify` returns it.

    Returns:
        The turns, by start.
    """
    if not voices:
        return []
    numbers = sorted(set(speakers))
    frames = _frame(max(voice.window.end for voice in voices))
    votes = np.zeros((frames, len(numbers)), np.float32)
    windows = np.zeros(frames, np.float32)
    for window, spoken in _by_window(voices, speakers):
        windows[_frame(window.start) : _frame(window.end)] += 1
        for speaker, times in spoken.items():
            votes[:, numbers.index(speaker)] += _mask(times, frames)
    active = _most_voted(votes, windows)
    return sorted(
        SpeakerTurn(start=first / _FRAMES, end=last / _FRAMES, speaker=number)
        for column, number in enumerate(numbers)
        for first, last in _smooth(active[:, column])
    )


def _by_window(
    voices: Sequence[Voice], speakers: Sequence[int]
) -> Iterator[tuple[Turn, dict[int, list[Turn]]]]:
    windows: dict[Turn, dict[int, list[Turn]]] = {}
    for voice, speaker in zip(voices, speakers, strict=True):
        windows.setdefault(voice.window, {}).setdefault(speaker, []).extend(voice.turns)
    yield from windows.items()


def _most_voted(votes: NDArray[np.float32], windows: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Whether each speaker speaks in each frame."""
    mean = votes.sum(axis=1) / np.maximum(windows, 1)
    count = np.floor(mean + 0.5).astype(np.int64)
    ranks = np.argsort(np.argsort(-votes, axis=1, kind="stable"), axis=1, kind="stable")
    return (ranks < count[:, np.newaxis]) & (votes > 0)


def _mask(times: Sequence[Turn], frames: int) -> NDArray[np.bool_]:
    mask = np.zeros(frames, np.bool_)
    for turn in times:
        mask[_frame(turn.start) : _frame(turn.end)] = True
    return mask


def _smooth(active: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """The runs of active frames, first and last exclusive, without short pauses and turns."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], active, [False]]).astype(np.int8)))
    merged: list[tuple[int, int]] = []
    for first, last in edges.reshape(-1, 2).tolist():
        if merged and first - merged[-1][1] < LONGEST_PAUSE * _FRAMES:
            merged[-1] = (merged[-1][0], last)
        else:
            merged.append((first, last))
    return [each for each in merged if each[1] - each[0] >= SHORTEST_TURN * _FRAMES]


def _frame(seconds: float) -> int:
    return round(seconds * _FRAMES)
