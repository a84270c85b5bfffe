"""The audio of a stored recording, of which a chunk or two are in memory."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Executor

import numpy as np

from maie.preprocess.v1 import preprocess_pb2 as preprocess
from maie_alignment.engine import SAMPLE_RATE, Samples
from maie_core.durations import seconds
from maie_core.errors import invalid
from maie_core.reasons import Reason
from maie_runtime.blobs import Blobs
from maie_speech.chunk_audio import load_chunk


class ChunkedAudio:
    """Reads ranges of a recording that is cut into chunks; between these it is silent.

    Args:
        chunks: The chunks, in recording order.
        blobs: The object store with their audio.
        executor: Where audio is parsed.
    """

    def __init__(
        self, chunks: Sequence[preprocess.Chunk], blobs: Blobs, executor: Executor
    ) -> None:
        self._chunks = chunks
        self._blobs = blobs
        self._executor = executor
        self._loaded: dict[int, Samples] = {}

    @property
    def seconds(self) -> float:
        """The end of the last chunk."""
        return max((seconds(each.range.end_offset) for each in self._chunks), default=0.0)

    async def read(self, start: int, end: int) -> Samples:
        """Reads a range of samples.

        Raises:
            StageError: As `load_chunk`.
        """
        part = np.zeros(max(0, end - start), np.int16)
        for place, chunk in enumerate(self._chunks):
            first = round(seconds(chunk.range.start_offset) * SAMPLE_RATE)
            if first >= end or round(seconds(chunk.range.end_offset) * SAMPLE_RATE) <= start:
                continue
            samples = await self._load(place)
            low, high = max(start, first), min(end, first + len(samples))
            if low < high:
                part[low - start : high - start] = samples[low - first : high - first]
        return part

    async def _load(self, place: int) -> Samples:
        if place not in self._loaded:
            speech = await load_chunk(self._chunks[place], self._blobs, self._executor)
            # A range may lie across the edge of two chunks, and the next one is read after it.
            before = {each: kept for each, kept in self._loaded.items() if each == place - 1}
            self._loaded = {**before, place: speech.samples}
        return self._loaded[place]


def check_one_channel(chunks: Sequence[preprocess.Chunk]) -> None:
    """Refuses a recording whose channels or tracks were read one by one.

    Raises:
        StageError: INVALID_ARGUMENT with OPTION_NOT_SUPPORTED.
    """
    if len({(each.channel, each.track) for each in chunks}) > 1:
        raise invalid(
            Reason.OPTION_NOT_SUPPORTED,
            "A text is read on one channel of one track; have the recording's channels mixed.",
            field="chunks",
        )
