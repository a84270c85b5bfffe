"""The engine `embedded`: PyanNet and a voice encoder on the CPU, without torch."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from importlib.metadata import version
from typing import Final

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from maie.common.v1 import types_pb2 as common
from maie_diarization.engine import Calibration, Samples, SpeechRange, Voice
from maie_diarization.engines.embedded.encoder import embed
from maie_diarization.engines.embedded.mel import mel_power
from maie_diarization.engines.embedded.models import GE2E, PYANNET, open_model
from maie_diarization.engines.embedded.noise import cleaned
from maie_diarization.engines.embedded.segmentation import segment
from maie_diarization.engines.embedded.voices import LocalSpeaker, local_speakers
from maie_diarization.settings import DiarizationSettings

# From this probability on a speaker of a window speaks.
SPEAKS: Final = 0.45
# The encoder knows no voice by less speech than this.
_LEAST_FRAMES: Final = 40
_FRAMES_PER_SECOND: Final = 100

CALIBRATION: Final = Calibration(
    same_speaker=0.72,
    surely_same_speaker=0.88,
    min_duration=1.0,
    min_speaker_duration=8.0,
    count_accuracy=((-0.1, 0.1), (0.0, 0.5), (0.1, 0.95)),
)


class EmbeddedEngine:
    """See `Engine`."""

    description = "PyanNet and a GE2E voice encoder, on the CPU."
    calibration = CALIBRATION
    vram_bytes = 0
    weights = None

    def __init__(
        self, segmentation: onnxruntime.InferenceSession, encoder: onnxruntime.InferenceSession
    ) -> None:
        self._segmentation = segmentation
        self._encoder = encoder

    @classmethod
    def load(cls, *, threads: int = 1) -> EmbeddedEngine:
        """Verifies and loads both models. Blocks.

        Args:
            threads: The number of threads that a call uses, at least 1.

        Raises:
            StageError: FAILED_PRECONDITION with MODEL_MISSING or MODEL_CORRUPT.
        """
        return cls(open_model(PYANNET, threads), open_model(GE2E, threads))

    @property
    def version(self) -> common.EngineVersion:
        """See `Engine`."""
        digests = f"{PYANNET.sha256}{GE2E.sha256}"
        return common.EngineVersion(
            engine="embedded",
            library=f"onnxruntime {version('onnxruntime')}",
            model_name=f"{PYANNET.name}+{GE2E.name}",
            checkpoint_sha256=hashlib.sha256(digests.encode()).hexdigest(),
            compute_type="float32",
            device="cpu",
        )

    def listen(
        self, samples: Samples, speech: Sequence[SpeechRange], heartbeat: Callable[[], None]
    ) -> list[Voice]:
        """See `Engine`."""
        speakers = [
            speaker
            for window in segment(self._segmentation, samples, speech, heartbeat)
            for speaker in local_speakers(window, window.scores >= SPEAKS)
        ]
        embeddings = self._embeddings(samples, speech, speakers, heartbeat)
        return [
            Voice(
                window=speaker.window,
                turns=speaker.turns,
                embedding=embeddings.get(place),
                clean_duration=len(speaker.clean) / _FRAMES_PER_SECOND,
            )
            for place, speaker in enumerate(speakers)
        ]

    def _embeddings(
        self,
        samples: Samples,
        speech: Sequence[SpeechRange],
        speakers: Sequence[LocalSpeaker],
        heartbeat: Callable[[], None],
    ) -> dict[int, NDArray[np.float32]]:
        """The embeddings of those with enough clean speech, by their places."""
        known = [place for place, each in enumerate(speakers) if len(each.clean) >= _LEAST_FRAMES]
        if not known:
            return {}
        mels = cleaned(mel_power(samples), speech)
        found = embed(self._encoder, [mels[speakers[place].clean] for place in known], heartbeat)
        return dict(zip(known, found, strict=True))


@asynccontextmanager
async def create(settings: DiarizationSettings) -> AsyncIterator[EmbeddedEngine]:
    """Loads both models and verifies them.

    Raises:
        StageError: FAILED_PRECONDITION with MODEL_MISSING or MODEL_CORRUPT.
    """
    yield await asyncio.to_thread(EmbeddedEngine.load, threads=settings.threads)
