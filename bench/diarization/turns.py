"""Turns of speakers, and RTTM, the file format that tools of diarization share."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path


@dataclass(kw_only=True, frozen=True, slots=True, order=True)
class Turn:
    """A time in which a speaker speaks.

    Attributes:
        start: Seconds from the beginning of the recording.
        end: Seconds, after the start.
        speaker: The speaker's name.
    """

    start: float
    end: float
    speaker: str


def write_rttm(path: Path, turns: Iterable[Turn]) -> None:
    """Writes turns in order of time, to the millisecond; the recording has the file's name."""
    lines = (
        f"SPEAKER {path.stem} 1 {turn.start:.3f} {turn.end - turn.start:.3f} "
        f"<NA> <NA> {turn.speaker} <NA> <NA>\n"
        for turn in sorted(turns)
    )
    path.write_text("".join(lines))


def read_rttm(path: Path) -> dict[str, list[Turn]]:
    """Reads the turns of each recording of a file, by the recordings' names.

    Raises:
        ValueError: A line of a turn is not RTTM.
    """
    turns: dict[str, list[Turn]] = {}
    for number, line in enumerate(path.read_text().splitlines(), start=1):
        parts = line.split()
        if not parts or parts[0] != "SPEAKER":
            continue
        try:
            name, start, length, speaker = parts[1], float(parts[3]), float(parts[4]), parts[7]
        except (IndexError, ValueError):
            raise ValueError(f"{path}: line {number} is no turn of RTTM: {line!r}") from None
        turn = Turn(start=start, end=start + length, speaker=speaker)
        turns.setdefault(name, []).append(turn)
    return {name: sorted(each) for name, each in turns.items()}


def speech_seconds(turns: Sequence[Turn], speakers: int = 1) -> float:
    """How long at least so many speak at once."""
    steps = sorted(
        [(turn.start, 1) for turn in turns] + [(turn.end, -1) for turn in turns],
    )
    seconds, speaking = 0.0, 0
    for (at, step), (following, _) in pairwise(steps):
        speaking += step
        if speaking >= speakers:
            seconds += following - at
    return seconds


def overlap_share(turns: Sequence[Turn]) -> float:
    """The share of the speech in which two or more speak, 0 to 1."""
    speech = speech_seconds(turns)
    return speech_seconds(turns, speakers=2) / speech if speech else 0.0
