"""One channel's part of what the messages of a track become."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from maie_audio.formats import Part
from maie_core.samples import SAMPLE_BYTES
from maie_gateway.live.marks import Mark
from maie_gateway.live.recognition.backlog import MOST_AUDIO, Backlog
from maie_gateway.live.tracks.clipping import ClippingMeter

Clipped: TypeAlias = Callable[[int, float], None]


@dataclass(kw_only=True, frozen=True, slots=True)
class Taken:
    """A message of a track that was read.

    Attributes:
        sequence: Its number.
        arrived: When it arrived, by the monotonic clock.
        parts: What it became; see `Read`.
        length: How long it is, in samples.
        finalize: Whether it ends the utterance.
        state: What decodes the message after it; see `Mark`.
    """

    sequence: int
    arrived: float
    parts: list[Part]
    length: int
    finalize: bool
    state: bytes


class ChannelFeed:
    """Adds a channel's part of messages to its backlogs.

    A channel may be further than its track, which goes on where the slowest of its channels does.
    It gets nothing again of what it had.

    Args:
        backlogs: The channel's backlogs: what is recognised first, and what else hears it.
        place: The channel's place among the interleaved ones, from 0.
        channels: How many are interleaved.
        begin: Where the track goes on.
        clipped: Called with the place and the share of samples at full scale where audio is
            clipped.
    """

    def __init__(
        self, backlogs: Sequence[Backlog], place: int, channels: int, begin: Mark, clipped: Clipped
    ) -> None:
        self._backlogs = backlogs
        self._place = place
        self._channels = channels
        self._clipping = ClippingMeter()
        self._clipped = clipped
        self._had = backlogs[0].mark.sequence
        self._skip = backlogs[0].mark.position - begin.position

    def add(self, taken: Taken) -> None:
        """Adds what a message became, part by part; only after the last one is it durable."""
        parts = [self._rest(each) for part in taken.parts for each in self._pieces(part)]
        if taken.sequence <= self._had:
            return
        parts = [part for part in parts if part] or [b""]
        for number, part in enumerate(parts, start=1):
            is_last = number == len(parts)
            pcm, silence = (b"", part) if isinstance(part, int) else (part, 0)
            if (share := self._clipping.feed(pcm)) is not None:
                self._clipped(self._place, share)
            for backlog in self._backlogs:
                backlog.add(
                    taken.sequence,
                    taken.length if is_last else 0,
                    pcm=pcm,
                    silence=silence,
                    finalize=taken.finalize and is_last,
                    arrived=taken.arrived,
                    last=is_last,
                    state=taken.state,
                )

    def _pieces(self, part: Part) -> Iterator[Part]:
        """The channel's samples of a part, none longer than a message to a replica may be."""
        if isinstance(part, int):
            yield part
            return
        if self._channels > 1:
            samples = np.frombuffer(part, "<i2").reshape(-1, self._channels)
            part = samples[:, self._place].tobytes()
        size = MOST_AUDIO * SAMPLE_BYTES
        for begin in range(0, len(part), size):
            yield part[begin : begin + size]

    def _rest(self, part: Part) -> Part:
        """A part without what the channel had of it."""
        length = part if isinstance(part, int) else len(part) // SAMPLE_BYTES
        had = min(self._skip, length)
        self._skip -= had
        return part - had if isinstance(part, int) else part[had * SAMPLE_BYTES :]
