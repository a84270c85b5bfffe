"""The lanes of a recording; each has its own VAD state and its own chunks."""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import Sequence
from concurrent.futures import Executor

import numpy as np

from maie.preprocess.v1 import preprocess_pb2 as pb
from maie_audio.peaks import Peaks, loudest
from maie_preprocess.bandwidth import SpeechBandwidth
from maie_preprocess.cutting import Cutter
from maie_preprocess.engine import SpeechEngine, SpeechTrack
from maie_preprocess.wire import Lane
from maie_runtime.blobs import Blobs
from maie_speech.band import EVERY, BandWatch, band_levels
from maie_speech.finder import SpeechRules


class _Lane:
    """One lane in progress."""

    def __init__(self, track: SpeechTrack, cutter: Cutter) -> None:
        self.track = track
        self.cutter = cutter
        self.band = BandWatch()
        self.peaks = Peaks()


class Lanes:
    """Finds speech in each lane and cuts it.

    Attributes:
        chunks: The chunks of all lanes so far, in the order of their index.
        bandwidth: Measures the speech of all lanes.

    Args:
        engine: The VAD engine.
        rules: When speech begins and ends.
        target: The target length of chunks, in samples.
        blobs: The object store for the chunks' audio.
        prefix: The prefix of the chunks' keys.
        executor: Where spectra and peaks are computed.
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
        self.bandwidth = SpeechBandwidth()
        self._executor = executor
        self._engine = engine
        self._rules = rules
        self._target = target
        self._blobs = blobs
        self._prefix = prefix
        self._lanes: dict[Lane, _Lane] = {}

    @property
    def samples(self) -> int:
        """The length of the recording so far."""
        return max((each.cutter.samples for each in self._lanes.values()), default=0)

    @property
    def speech_samples(self) -> int:
        """The number of samples with speech."""
        total = end = 0
        for span in heapq.merge(*(each.cutter.speech for each in self._lanes.values())):
            total += max(0, span.end - max(span.start, end))
            end = max(end, span.end)
        return total

    def peaks(self) -> bytes:
        """The peaks of the recording, of its loudest lane each; call it once, after `finish`."""
        return loudest([each.peaks.finish() for each in self._lanes.values()])

    async def feed(self, lane: Lane, samples: bytes) -> None:
        """Adds the next samples of a lane."""
        if lane not in self._lanes:
            self._lanes[lane] = _Lane(self._engine.track(), self._cutter(lane))
        work = self._lanes[lane]
        probabilities = await work.track.feed(samples)
        loop = asyncio.get_running_loop()
        narrow = await loop.run_in_executor(
            self._executor, self._look, work, samples, probabilities
        )
        await work.cutter.feed(samples, probabilities, narrow)

    async def finish(self) -> None:
        """Stores the remaining chunks."""
        for each in self._lanes.values():
            await each.cutter.finish()

    def _look(self, work: _Lane, samples: bytes, probabilities: Sequence[float]) -> Sequence[bool]:
        """Whether each of the next frames of a lane is in telephone band."""
        sound = np.frombuffer(samples, "<i2")
        work.peaks.add(sound)
        levels = band_levels(sound)
        narrow = work.band.feed(levels, len(probabilities))
        rows = slice(0, len(levels) * EVERY, EVERY)
        thresholds = [self._rules.thresholds(narrow_band=each) for each in narrow[rows]]
        self.bandwidth.add(levels, probabilities[rows], thresholds)
        return narrow

    def _cutter(self, lane: Lane) -> Cutter:
        return Cutter(lane, self._rules, self._target, self._blobs, self._prefix, self.chunks)
