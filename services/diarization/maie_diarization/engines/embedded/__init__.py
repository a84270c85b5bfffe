"""The engine `embedded`: PyanNet and a voice encoder on the CPU, without torch."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Final

import onnxruntime

from maie.common.v1 import types_pb2 as common
from maie_diarization.engine import Calibration, Samples, SpeechRange, Voice, own_space
from maie_diarization.engines.embedded.background import background
from maie_diarization.engines.embedded.mel import mel_power
from maie_diarization.engines.embedded.models import PYANNET, version_with
from maie_diarization.engines.embedded.segmentation import segment
from maie_diarization.engines.embedded.voice_encoder import VoiceEncoder
from maie_diarization.engines.embedded.voices import local_speakers, without_murmur
from maie_diarization.settings import DiarizationSettings
from maie_speech.shipped_models import open_model

# From this probability on a speaker of a window speaks.
SPEAKS: Final = 0.35
_FRAMES_PER_SECOND: Final = 100

# By measurement (bench/diarization/calibration.py). Once the channel is out of embeddings, groups
# of one speaker's voices have a similarity of 0.5 or more in all forms; those of two people have
# about 0.4 or less, and those of two of flite's voices up to 0.49.
CALIBRATION: Final = Calibration(
    same_speaker=0.47,
    surely_same_speaker=0.75,
    min_duration=1.0,
    min_speaker_duration=6.0,
    min_speaker_share=0.04,
    sure_speaker_duration=60.0,
    count_accuracy=((0.14, 0.07), (0.35, 0.43), (0.73, 0.92)),
    mixed_speakers=0.7,
    # Of 21,220 pairs of different people of LibriSpeech, with 7 s of each, none has 0.55; the
    # halves of one recording have 0.66 or more.
    same_person=0.6,
)


def _version() -> common.EngineVersion:
    return version_with("embedded", PYANNET, "onnxruntime")


def embedding_space() -> str:
    """The space of the voice encoder's embeddings, in every engine that has it.

    It has the name of this engine, as it is stored in profiles of people.
    """
    return own_space(_version())


class EmbeddedEngine:
    """See `Engine`."""

    description = "PyanNet and the voice encoder CAM++, on the CPU."
    calibration = CALIBRATION
    vram_bytes = 0
    weights = None

    def __init__(self, segmentation: onnxruntime.InferenceSession, encoder: VoiceEncoder) -> None:
        self._segmentation = segmentation
        self._encoder = encoder

    @classmethod
    def load(cls, *, threads: int = 1) -> EmbeddedEngine:
        """Verifies and loads the models. Blocks.

        Args:
            threads: The number of threads that a call uses, at least 1.

        Raises:
            StageError: FAILED_PRECONDITION with MODEL_MISSING or MODEL_CORRUPT.
        """
        return cls(open_model(PYANNET, threads), VoiceEncoder.load(threads))

    @property
    def version(self) -> common.EngineVersion:
        """See `Engine`."""
        return _version()

    @property
    def embedding_space(self) -> str:
        """See `Engine`."""
        return embedding_space()

    def listen(
        self, samples: Samples, speech: Sequence[SpeechRange], heartbeat: Callable[[], None]
    ) -> list[Voice]:
        """See `Engine`."""
        mels = mel_power(samples)
        quiet = background(mels)
        speakers = [
            speaker
            for window in segment(self._segmentation, samples, speech, heartbeat)
            for speaker in local_speakers(
                window, without_murmur(window, window.scores >= SPEAKS, mels, quiet)
            )
        ]
        embeddings = self._encoder.embeddings(mels, [each.clean for each in speakers], heartbeat)
        return [
            Voice(
                window=speaker.window,
                turns=speaker.turns,
                embedding=embedding,
                clean_duration=len(speaker.clean) / _FRAMES_PER_SECOND,
            )
            for speaker, embedding in zip(speakers, embeddings, strict=True)
        ]


@asynccontextmanager
async def create(settings: DiarizationSettings) -> AsyncIterator[EmbeddedEngine]:
    """Loads the models and verifies them.

    Raises:
        StageError: FAILED_PRECONDITION with MODEL_MISSING or MODEL_CORRUPT.
    """
    yield await asyncio.to_thread(EmbeddedEngine.load, threads=settings.threads)
