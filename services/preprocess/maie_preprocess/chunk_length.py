"""How long the chunks of a recording are to be. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Self

from maie.preprocess.v1 import preprocess_pb2 as pb
from maie_preprocess.settings import PreprocessSettings
from maie_runtime.durations import seconds
from maie_runtime.errors import invalid
from maie_runtime.limits import MAX_CHUNK_SECONDS, MIN_CHUNK_SECONDS
from maie_runtime.reasons import Reason

# Chunks for each slot: with one each, the slot whose chunk has less speech would wait for the
# others, and none could begin before all of the recording was decoded.
ROUNDS: Final = 3
# Shorter chunks take longer in all, since Whisper takes a whole effort for each window of 30 s,
# and have more borders, where a word may come out wrong.
SHORTEST_SECONDS: Final = 60.0
# What a retry costs at most, and a worker that dies.
LONGEST_SECONDS: Final = 300.0
# Gateways take 256 chunks of a job; a chunk may be an utterance shorter than its target.
MOST_CHUNKS: Final = 240
UTTERANCE_SECONDS: Final = 30.0


@dataclass(kw_only=True, frozen=True, slots=True)
class ChunkLength:
    """The rule for one recording.

    Attributes:
        wanted: Seconds, where a person named them; None otherwise.
        slots: How many chunks are transcribed at the same time, at least 1.
    """

    wanted: float | None
    slots: int

    @classmethod
    def of(cls, request: pb.PreprocessRequest, settings: PreprocessSettings) -> Self:
        """The rule for a request: its own length counts first, then the setting.

        Raises:
            StageError: INVALID_ARGUMENT with CHUNK_DURATION_INVALID.
        """
        wanted = settings.chunk_seconds
        if request.HasField("chunk_duration"):
            wanted = seconds(request.chunk_duration)
            if not MIN_CHUNK_SECONDS <= wanted <= MAX_CHUNK_SECONDS:
                raise invalid(
                    Reason.CHUNK_DURATION_INVALID,
                    f"Chunks may aim at {MIN_CHUNK_SECONDS:g} to {MAX_CHUNK_SECONDS:g} s; set "
                    "chunk_duration accordingly.",
                    field="chunk_duration",
                )
        return cls(wanted=wanted, slots=max(1, request.asr_slots))

    def seconds(self, stated: float | None) -> float:
        """What the chunks aim at, in seconds.

        Args:
            stated: How long the recording claims to be, in seconds, all of its lanes together;
                None where it does not say.
        """
        if self.wanted is not None:
            return self.wanted
        if not stated:
            return LONGEST_SECONDS if self.slots == 1 else SHORTEST_SECONDS
        shortest = max(SHORTEST_SECONDS, UTTERANCE_SECONDS + stated / MOST_CHUNKS)
        fair = LONGEST_SECONDS if self.slots == 1 else stated / (ROUNDS * self.slots)
        # Only several lanes of many hours need longer chunks, or there would be too many.
        seconds = max(shortest, min(fair, LONGEST_SECONDS))
        return float(round(min(seconds, MAX_CHUNK_SECONDS)))
