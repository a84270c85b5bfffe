"""What the tracks of a session say: real speech, in the same pieces each time."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import av
import numpy as np

from maie_client.live.audio import DEFAULT_RATE_HERTZ, MESSAGE_SECONDS

LIBRIVOX = Path(__file__).parents[2] / "data/librivox"
SAMPLE_BYTES = 2
# One piece is one message of the client.
PIECE_BYTES = round(DEFAULT_RATE_HERTZ * MESSAGE_SECONDS) * SAMPLE_BYTES
# Longer than the silence that ends an utterance.
PAUSE_SECONDS = 0.9
# The tracks of a session begin with different clips.
SCRIPTS = 4
CLIPS_EACH = 3


@dataclass(kw_only=True, frozen=True, slots=True)
class Script:
    """What a session says.

    Attributes:
        tracks: The number of the text of each track; the track's name is that number.
        pace: How much faster than real time its audio comes.
        leaves: Whether each track ends with `leave`, before the session's end.
        rounds: How often it is said, time after time.
    """

    tracks: tuple[int, ...]
    pace: float = 1.0
    leaves: bool = False
    rounds: int = 1

    def pieces(self, number: int) -> tuple[bytes, ...]:
        """The audio of a track, in messages."""
        return pieces_of(number) * self.rounds

    @property
    def seconds(self) -> float:
        """How long sending it takes."""
        pieces = max(len(self.pieces(number)) for number in self.tracks)
        return pieces * MESSAGE_SECONDS / self.pace


@cache
def pieces_of(number: int) -> tuple[bytes, ...]:
    """The audio of a track, in messages."""
    clips = sorted([*LIBRIVOX.glob("*.wav"), *LIBRIVOX.glob("*.flac")])
    chosen = [clips[(number + step) % len(clips)] for step in range(CLIPS_EACH)]
    pause = bytes(round(PAUSE_SECONDS * DEFAULT_RATE_HERTZ) * SAMPLE_BYTES)
    sound = pause + b"".join(_samples(clip) + pause for clip in chosen)
    return tuple(sound[at : at + PIECE_BYTES] for at in range(0, len(sound), PIECE_BYTES))


def _samples(clip: Path) -> bytes:
    """The samples of a file that is 16 kHz mono already."""
    with av.open(str(clip)) as container:
        frames = [frame.to_ndarray() for frame in container.decode(audio=0)]
    return np.concatenate(frames, axis=1)[0].astype("<i2").tobytes()
