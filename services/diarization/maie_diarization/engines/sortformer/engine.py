"""The engine `sortformer`."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from maie.common.v1 import types_pb2 as common
from maie_diarization.engine import (
    SAMPLE_RATE,
    Calibration,
    Samples,
    SpeechRange,
    Turn,
    Voice,
)
from maie_diarization.engines import embedded
from maie_diarization.engines.alone import FRAMES_PER_SECOND, frames_alone
from maie_diarization.engines.embedded.mel import mel_power
from maie_diarization.engines.embedded.voice_encoder import VoiceEncoder
from maie_diarization.engines.packages import require_package
from maie_diarization.engines.sortformer.activity import speaking, turns_of
from maie_diarization.engines.sortformer.model import (
    PACKAGE,
    VARIABLE,
    find_model,
    load_model,
    verify_model,
)
from maie_diarization.engines.torch_devices import (
    open_device,
    prepare_environment,
    release_memory,
)
from maie_diarization.engines.weights import Source, Weights
from maie_diarization.settings import DiarizationSettings, SortformerSettings


class SortformerEngine:
    """Finds up to four voices in a chunk with NVIDIA's Sortformer.

    A chunk is one window, in which Sortformer itself knows who speaks again. It makes no
    embeddings that say whose voice it is: those are of the encoder of the engine `embedded`, over
    the times in which one voice speaks alone. One chunk is listened to at a time.

    Args:
        weights: Sortformer.
        encoder: Says whose voice it is.
        settings: The engine's settings.
        version: The software and the model.
        vram_bytes: The GPU memory of the model; 0 on a CPU.
    """

    description = "NVIDIA's Sortformer by NeMo, with the voice encoder CAM++."

    def __init__(
        self,
        weights: Weights[Any],
        encoder: VoiceEncoder,
        settings: SortformerSettings,
        version: common.EngineVersion,
        vram_bytes: int,
    ) -> None:
        self.weights = weights
        self.vram_bytes = vram_bytes
        self.calibration = _calibration(settings.same_speaker)
        self._encoder = encoder
        self._speaks = settings.speaks
        self._version = version

    @property
    def version(self) -> common.EngineVersion:
        """See `Engine`."""
        return self._version

    @property
    def embedding_space(self) -> str:
        """See `Engine`."""
        return embedded.embedding_space()

    def listen(
        self, samples: Samples, speech: Sequence[SpeechRange], heartbeat: Callable[[], None]
    ) -> list[Voice]:
        """See `Engine`."""
        if not speech or not len(samples):
            return []
        with self.weights.using(heartbeat) as model:
            scores, frame = speaking(model, samples, heartbeat)
        active = scores >= self._speaks
        heard = [turns_of(each, frame, len(samples)) for each in active.T]
        speakers = [turns for turns in heard if turns]
        length = len(samples) / SAMPLE_RATE
        clean = frames_alone(speakers, round(length * FRAMES_PER_SECOND))
        embeddings = self._encoder.embeddings(mel_power(samples), clean, heartbeat)
        return [
            Voice(
                window=Turn(start=0.0, end=length),
                turns=turns,
                embedding=embedding,
                clean_duration=len(alone) / FRAMES_PER_SECOND,
            )
            for turns, alone, embedding in zip(speakers, clean, embeddings, strict=True)
        ]


@asynccontextmanager
async def create(settings: DiarizationSettings) -> AsyncIterator[SortformerEngine]:
    """Verifies and loads the models.

    Raises:
        StageError: FAILED_PRECONDITION with ENGINE_NOT_INSTALLED, MODEL_MISSING, MODEL_CORRUPT,
            MODEL_UNSAFE or DEVICE_UNAVAILABLE.
    """
    require_package("sortformer", PACKAGE)
    with ThreadPoolExecutor(1, "sortformer") as executor:
        yield await asyncio.get_running_loop().run_in_executor(
            executor, partial(_open, settings, executor)
        )


def _open(settings: DiarizationSettings, executor: ThreadPoolExecutor) -> SortformerEngine:
    chosen = settings.sortformer
    file = find_model(chosen)
    sha256 = verify_model(file, chosen)
    prepare_environment()
    device = open_device(chosen, settings.threads, VARIABLE)
    source = Source(files=[file], read=lambda: load_model(file, device), release=release_memory)
    size = file.stat().st_size if device.type == "cuda" else 0
    version = _version(file, chosen, sha256, str(device))
    encoder = VoiceEncoder.load(settings.threads)
    return SortformerEngine(Weights(source, executor), encoder, chosen, version, size)


def _version(
    file: Path, settings: SortformerSettings, sha256: str, device: str
) -> common.EngineVersion:
    packages = (PACKAGE, "torch", "onnxruntime")
    library = ", ".join(f"{name} {require_package('sortformer', name)}" for name in packages)
    return common.EngineVersion(
        engine="sortformer",
        library=library,
        model_name=settings.variant or file.stem,
        model_path=str(file),
        checkpoint_sha256=sha256,
        compute_type="float32",
        device=device,
        parameters={"speaks": json.dumps(settings.speaks)},
    )


def _calibration(same_speaker: float) -> Calibration:
    """Thresholds for speakers of chunks. How far they hold was not measured with this engine."""
    return replace(
        embedded.CALIBRATION,
        same_speaker=same_speaker,
        # Sortformer has joined what one speaker of a chunk says already.
        surely_same_speaker=1.0,
        # A second of a chunk is heard once, and not in five windows.
        min_duration=0.5,
        min_speaker_duration=1.5,
        min_speaker_share=0.0,
        sure_speaker_duration=1.5,
        # So no number of speakers is sure.
        count_accuracy=((0.0, 0.5),),
    )
