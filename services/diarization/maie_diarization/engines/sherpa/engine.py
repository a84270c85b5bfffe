"""The engine `sherpa`."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from typing import Final

from maie.common.v1 import types_pb2 as common
from maie_diarization.engine import SAMPLE_RATE, Samples, SpeechRange, Turn, Voice
from maie_diarization.engines import embedded
from maie_diarization.engines.alone import FRAMES_PER_SECOND, frames_alone
from maie_diarization.engines.embedded.mel import mel_power
from maie_diarization.engines.embedded.models import version_with
from maie_diarization.engines.embedded.voice_encoder import VoiceEncoder
from maie_diarization.engines.packages import require_package
from maie_diarization.engines.sherpa.models import SEGMENTATION, WINDOW
from maie_diarization.engines.sherpa.segmentation import Segmenter
from maie_diarization.engines.windows import window_starts
from maie_diarization.settings import DiarizationSettings

PACKAGE: Final = "sherpa-onnx"
STEP: Final = 1 * SAMPLE_RATE


class SherpaEngine:
    """Finds up to three voices in each window of a chunk with sherpa-onnx.

    Whose voice it is says the encoder of the engine `embedded`, over the times in which one voice
    speaks alone.

    Args:
        segmenter: Finds who speaks when in a window.
        encoder: Says whose voice it is.
    """

    description = "Segmentation 3.0 by sherpa-onnx and the voice encoder CAM++, on the CPU."
    # Windows and encoder are those of `embedded`; by measurement (docs/accuracy.md) it holds here.
    calibration = embedded.CALIBRATION
    vram_bytes = 0
    weights = None

    def __init__(self, segmenter: Segmenter, encoder: VoiceEncoder) -> None:
        self._segmenter = segmenter
        self._encoder = encoder

    @classmethod
    def load(cls, *, threads: int = 1) -> SherpaEngine:
        """Verifies and loads the models. Blocks.

        Args:
            threads: The number of threads that a call uses, at least 1.

        Raises:
            StageError: FAILED_PRECONDITION with ENGINE_NOT_INSTALLED, MODEL_MISSING or
                MODEL_CORRUPT.
        """
        require_package("sherpa", PACKAGE)
        return cls(Segmenter(threads), VoiceEncoder.load(threads))

    @property
    def version(self) -> common.EngineVersion:
        """See `Engine`."""
        return version_with("sherpa", SEGMENTATION.model, PACKAGE, "onnxruntime")

    @property
    def embedding_space(self) -> str:
        """See `Engine`."""
        return embedded.embedding_space()

    def listen(
        self, samples: Samples, speech: Sequence[SpeechRange], heartbeat: Callable[[], None]
    ) -> list[Voice]:
        """See `Engine`."""
        found = list(self._windows(samples, speech, heartbeat))
        speakers = [(window, turns) for window, windows in found for turns in windows]
        count = len(samples) * FRAMES_PER_SECOND // SAMPLE_RATE
        clean = [alone for _, windows in found for alone in frames_alone(windows, count)]
        embeddings = self._encoder.embeddings(mel_power(samples), clean, heartbeat)
        return [
            Voice(
                window=window,
                turns=turns,
                embedding=embedding,
                clean_duration=len(alone) / FRAMES_PER_SECOND,
            )
            for (window, turns), alone, embedding in zip(speakers, clean, embeddings, strict=True)
        ]

    def _windows(
        self, samples: Samples, speech: Sequence[SpeechRange], heartbeat: Callable[[], None]
    ) -> Iterator[tuple[Turn, list[tuple[Turn, ...]]]]:
        """Each window in which somebody speaks, and the turns of its speakers."""
        for start in window_starts(len(samples), WINDOW, STEP):
            end = min(start + WINDOW, len(samples))
            if any(each.start < end and each.end > start for each in speech):
                window = Turn(start=start / SAMPLE_RATE, end=end / SAMPLE_RATE)
                yield window, self._segmenter.turns(samples, start)
                heartbeat()


@asynccontextmanager
async def create(settings: DiarizationSettings) -> AsyncIterator[SherpaEngine]:
    """Verifies and loads the models.

    Raises:
        StageError: FAILED_PRECONDITION with ENGINE_NOT_INSTALLED, MODEL_MISSING or MODEL_CORRUPT.
    """
    yield await asyncio.to_thread(SherpaEngine.load, threads=settings.threads)
