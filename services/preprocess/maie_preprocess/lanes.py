"""The lanes of a recording at work: each has its own memory of speech and its own chunks."""

from __future__ import annotations

import asyncio
import heapq
from concurrent.futures import Executor

from maie.preprocess.v1 import preprocess_pb2 as pb
from maie_preprocess.bandwidth import SpeechBandwidth
from maie_preprocess.cutting import Cutter
from maie_preprocess.engine import SpeechEngine, SpeechTrack
from maie_preprocess.speech import SpeechRules
from maie_preprocess.wire import Lane
from maie_runtime.blobs import Blobs


class Lanes:
    """Finds speech in each lane and cuts it.

    Attributes:
        chunks: The chunks of all lanes so far, in the order of their index.
        bandwidth: Measures the speech of all lanes.

    Args:
        engine: Tells speech from everything else.
        rules: When speech begins and ends.
        target: The length in samples that chunks aim at.
        blobs: Takes the chunks' audio.
        prefix: What the chunks' keys begin with.
        executor: Where spectra are computed.
    """

    def __init__(
        self,
        engine: SpeechEngine,
        rules: SpeechRules,
        target: int,
        blobs: Blobs,
        prefix: str,
        executor: Executor,
    ) -> None:
        self.chunks: list[pb.Chunk] = []
        self.bandwidth = SpeechBandwidth(rules.threshold)
        self._executor = executor
        self._engine = engine
        self._rules = rules
        self._target = target
        self._blobs = blobs
        self._prefix = prefix
        self._lanes: dict[Lane, tuple[SpeechTrack, Cutter]] = {}

    @property
    def samples(self) -> int:
        """The length of the recording so far."""
        return max((cutter.samples for _, cutter in self._lanes.values()), default=0)

    @property
    def speech_samples(self) -> int:
        """How many samples of the recording somebody speaks in."""
        total = end = 0
        for span in heapq.merge(*(cutter.speech for _, cutter in self._lanes.values())):
            total += max(0, span.end - max(span.start, end))
            end = max(end, span.end)
        return total

    async def feed(self, lane: Lane, samples: bytes) -> None:
        """Takes the next samples of a lane."""
        if lane not in self._lanes:
            self._lanes[lane] = self._engine.track(), self._cutter(lane)
        track, cutter = self._lanes[lane]
        probabilities = await track.feed(samples)
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(self._executor, self.bandwidth.add, samples, probabilities)
        await cutter.feed(samples, probabilities)

    async def finish(self) -> None:
        """Stores what is left."""
        for _, cutter in self._lanes.values():
            await cutter.finish()

    def _cutter(self, lane: Lane) -> Cutter:
        return Cutter(lane, self._rules, self._target, self._blobs, self._prefix, self.chunks)
