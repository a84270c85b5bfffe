"""Cuts one lane of a recording into chunks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from google.protobuf.duration_pb2 import Duration

from maie.common.v1 import types_pb2 as common
from maie.preprocess.v1 import preprocess_pb2 as pb
from maie_preprocess.audio import SampleBuffer
from maie_preprocess.planner import ChunkPlan, ChunkPlanner
from maie_preprocess.wire import Lane
from maie_runtime.blobs import Blobs
from maie_speech.finder import Span, SpeechFinder, SpeechRules
from maie_speech.frames import SAMPLE_RATE

NANOS_PER_SAMPLE = 1_000_000_000 // SAMPLE_RATE
# Silence that a chunk keeps before and after its speech: engines that normalise over an
# utterance are more accurate with some background noise around it.
MARGIN_SAMPLES = SAMPLE_RATE // 2


def duration_of(samples: int) -> Duration:
    """The exact duration of a number of samples at 16 kHz."""
    seconds, rest = divmod(samples, SAMPLE_RATE)
    return Duration(seconds=seconds, nanos=rest * NANOS_PER_SAMPLE)


class Cutter:
    """Cuts one lane into stored chunks and buffers only the current one.

    Attributes:
        speech: The utterances, in order.

    Args:
        lane: The lane.
        rules: When speech begins and ends.
        target: The target length of chunks, in samples.
        blobs: The object store for the chunks' audio.
        prefix: The prefix of the chunks' keys.
        chunks: Collects the chunks of all lanes.
    """

    def __init__(
        self,
        lane: Lane,
        rules: SpeechRules,
        target: int,
        blobs: Blobs,
        prefix: str,
        chunks: list[pb.Chunk],
    ) -> None:
        self.speech: list[Span] = []
        self._lane = lane
        self._finder = SpeechFinder(rules)
        self._planner = ChunkPlanner(target, MARGIN_SAMPLES)
        self._buffer = SampleBuffer()
        self._blobs = blobs
        self._prefix = prefix
        self._chunks = chunks

    @property
    def samples(self) -> int:
        """The length of the lane so far."""
        return self._buffer.end

    async def feed(
        self, samples: bytes, probabilities: Sequence[float], narrow_band: Sequence[bool]
    ) -> None:
        """Adds the next samples.

        Args:
            samples: The samples.
            probabilities: The probability of speech in each of their frames.
            narrow_band: Whether each frame is in telephone band.
        """
        self._buffer.append(samples)
        for plan in self._plans(self._finder.feed(probabilities, narrow_band)):
            await self._store(plan)
        for plan in self._planner.advance(self._finder.watermark):
            await self._store(plan)
        self._buffer.drop_before(self._planner.needed_from(self._finder.watermark))

    async def finish(self) -> None:
        """Stores the remaining chunks."""
        for plan in self._plans(self._finder.finish(self.samples)):
            await self._store(plan)
        for plan in self._planner.finish(self.samples):
            await self._store(plan)

    def _plans(self, utterances: list[Span]) -> Iterator[ChunkPlan]:
        for utterance in utterances:
            yield from self._planner.add(utterance)

    async def _store(self, plan: ChunkPlan) -> None:
        index = len(self._chunks)
        async with self._blobs.writer(self._prefix) as target:
            for piece in self._buffer.wav(plan.span):
                await target.write(piece)
        self.speech += plan.speech
        self._chunks.append(
            pb.Chunk(
                index=index,
                range=_time_range(plan.span),
                speech=[_time_range(span) for span in plan.speech],
                audio=target.blob(),
                channel=self._lane.channel,
                track=self._lane.track,
            )
        )


def _time_range(span: Span) -> common.TimeRange:
    return common.TimeRange(start_offset=duration_of(span.start), end_offset=duration_of(span.end))
