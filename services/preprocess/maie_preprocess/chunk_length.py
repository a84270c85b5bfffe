"""The target length of a recording's chunks. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Self

from maie.preprocess.v1 import preprocess_pb2 as pb
from maie_core.durations import seconds
from maie_core.errors import invalid
from maie_core.limits import MAX_CHUNK_SECONDS, MIN_CHUNK_SECONDS
from maie_core.reasons import Reason
from maie_preprocess.settings import PreprocessSettings

# Chunks for each slot: with only one, a slot whose chunk has less speech would idle, and none could
# begin before the whole recording is decoded.
ROUNDS: Final = 3
# Shorter chunks take longer in total, since Whisper always computes whole windows of 30 s, and have
# more boundaries, where words may be wrong.
SHORTEST_SECONDS: Final = 60.0
# The most audio that a retry or a dead worker costs.
LONGEST_SECONDS: Final = 300.0
# Gateways accept 256 chunks for each job; a chunk may be shorter than its target by one utterance.
MOST_CHUNKS: Final = 240
UTTERANCE_SECONDS: Final = 30.0


@dataclass(kw_only=True, frozen=True, slots=True)
class ChunkLength:
    """The rule for one recording.

    Attributes:
        wanted: The length in seconds from the request or the setting; None without one.
        slots: The number of chunks that are transcribed concurrently, at least 1.
    """

    wanted: float | None
    slots: int

    @classmethod
    def of(cls, request: pb.PreprocessRequest, settings: PreprocessSettings) -> Self:
        """The rule for a request, whose own length overrides the setting.

        Raises:
            StageError: INVALID_ARGUMENT with CHUNK_DURATION_INVALID.
        """
        wanted = settings.chunk_seconds
        if request.HasField("chunk_duration"):
            wanted = seconds(request.chunk_duration)
            if not MIN_CHUNK_SECONDS <= wanted <= MAX_CHUNK_SECONDS:
                raise invalid(
                    Reason.CHUNK_DURATION_INVALID,
                    f"The length of chunks is {MIN_CHUNK_SECONDS:g} to {MAX_CHUNK_SECONDS:g} s; "
                    "set chunk_duration accordingly.",
                    field="chunk_duration",
                )
        return cls(wanted=wanted, slots=max(1, request.asr_slots))

    def seconds(self, stated: float | None) -> float:
        """The target length of the chunks, in seconds.

        Args:
            stated: The total length of all lanes that the file states, in seconds; None if it
                states none.
        """
        if self.wanted is not None:
            return self.wanted
        if not stated:
            return LONGEST_SECONDS if self.slots == 1 else SHORTEST_SECONDS
        shortest = max(SHORTEST_SECONDS, UTTERANCE_SECONDS + stated / MOST_CHUNKS)
        fair = LONGEST_SECONDS if self.slots == 1 else stated / (ROUNDS * self.slots)
        # Only several lanes of many hours need longer chunks, to have fewer of them.
        seconds = max(shortest, min(fair, LONGEST_SECONDS))
        return float(round(min(seconds, MAX_CHUNK_SECONDS)))
