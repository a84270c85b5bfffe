"""Who speaks when in a live track, window by window. Pure: no I/O, no clock."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from maie_diarization.clustering import turns
from maie_diarization.clustering.assignment import assign
from maie_diarization.clustering.linkage import Floats
from maie_diarization.clustering.timeline import SpeakerTurn
from maie_diarization.engine import SAMPLE_RATE, Turn, Voice
from maie_diarization.live.speakers import LiveSpeakers, Merge
from maie_diarization.live.windows import Window

# Speech right before what is settled counts for the edges of its turns, too.
_CONTEXT: Final = 1 * SAMPLE_RATE


@dataclass(kw_only=True, frozen=True, slots=True)
class Heard:
    """What a window says.

    Attributes:
        merges: The speakers who turn out to be one, in order.
        turns: Who speaks since the last window, in seconds of the track, by speakers' numbers.
    """

    merges: Sequence[Merge]
    turns: Sequence[SpeakerTurn]


class Conversation:
    """The voices of the last windows, and the speakers of all.

    Args:
        speakers: The speakers.
        start: Where the track begins, in samples.
    """

    def __init__(self, speakers: LiveSpeakers, start: int) -> None:
        self._speakers = speakers
        self._settled = start
        self._voices: deque[tuple[Window, list[Voice]]] = deque()

    def hear(self, window: Window, voices: Sequence[Voice]) -> Heard:
        """Takes the voices of the next window.

        Args:
            window: The window.
            voices: Its voices, with times in seconds from its start.
        """
        merges = self._speakers.hear(voices)
        self._voices.append((window, [_shifted(voice, window.start) for voice in voices]))
        while self._voices[0][0].end < self._settled - _CONTEXT:
            self._voices.popleft()
        spoken = list(self._turns(self._settled / SAMPLE_RATE, window.settled / SAMPLE_RATE))
        self._settled = window.settled
        return Heard(merges=merges, turns=spoken)

    def _turns(self, start: float, end: float) -> list[SpeakerTurn]:
        """Who speaks in a part of the track."""
        voices = [voice for _, each in self._voices for voice in each]
        origin = self._voices[0][0].start / SAMPLE_RATE
        numbers, means = self._means()
        placed = [_moved(voice, -origin) for voice in voices]
        who = [numbers[place] for place in assign(placed, means)] if placed else []
        return [
            SpeakerTurn(
                start=max(start, turn.start + origin),
                end=min(end, turn.end + origin),
                speaker=turn.speaker,
            )
            for turn in turns(placed, who)
            if turn.start + origin < end and turn.end + origin > start
        ]

    def _means(self) -> tuple[list[int], Floats]:
        """The numbers of the speakers, and what they sound like.

        Who speaks before anybody is heard enough is the one who is found first.
        """
        speakers = self._speakers.known
        if not speakers:
            return [self._speakers.next_number], np.zeros((1, 0), np.float32)
        means = np.stack([each.mean for each in speakers])
        return [each.number for each in speakers], means / np.linalg.norm(
            means, axis=1, keepdims=True
        )


def _shifted(voice: Voice, start: int) -> Voice:
    return _moved(voice, start / SAMPLE_RATE)


def _moved(voice: Voice, seconds: float) -> Voice:
    return Voice(
        window=_later(voice.window, seconds),
        turns=tuple(_later(turn, seconds) for turn in voice.turns),
        embedding=voice.embedding,
        clean_duration=voice.clean_duration,
    )


def _later(turn: Turn, seconds: float) -> Turn:
    return Turn(start=turn.start + seconds, end=turn.end + seconds)
