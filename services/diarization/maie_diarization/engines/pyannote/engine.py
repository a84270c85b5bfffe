"""The engine `pyannote`."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any, Final

import numpy as np

from maie.common.v1 import types_pb2 as common
from maie_diarization.engine import (
    SAMPLE_RATE,
    Calibration,
    Samples,
    SpeechRange,
    Voice,
    own_space,
)
from maie_diarization.engines.packages import require_package
from maie_diarization.engines.pyannote.model import (
    PACKAGE,
    VARIABLE,
    find_model,
    load_pipeline,
    model_files,
    verify_model,
)
from maie_diarization.engines.pyannote.voices import voices
from maie_diarization.engines.torch_devices import (
    open_device,
    prepare_environment,
    release_memory,
)
from maie_diarization.engines.weights import Source, Weights
from maie_diarization.settings import DiarizationSettings, PyannoteSettings

_FULL_SCALE: Final = np.float32(32768)


class PyannoteEngine:
    """Finds and clusters the voices of a chunk with a pipeline of pyannote.audio.

    A chunk is one window: the pipeline itself says which voices in it are one speaker. The chunks
    are compared by the embeddings of their speakers. One chunk is listened to at a time.

    Args:
        weights: The pipeline.
        settings: The engine's settings.
        version: The software and the models.
        vram_bytes: The GPU memory of the models; 0 on a CPU.
    """

    description = "A pipeline of pyannote.audio, such as community-1."

    def __init__(
        self,
        weights: Weights[Any],
        settings: PyannoteSettings,
        version: common.EngineVersion,
        vram_bytes: int,
    ) -> None:
        self.weights = weights
        self.vram_bytes = vram_bytes
        self.calibration = _calibration(settings.same_speaker)
        self._exclusive = settings.exclusive
        self._version = version

    @property
    def version(self) -> common.EngineVersion:
        """See `Engine`."""
        return self._version

    @property
    def embedding_space(self) -> str:
        """See `Engine`."""
        return own_space(self._version)

    def listen(
        self, samples: Samples, speech: Sequence[SpeechRange], heartbeat: Callable[[], None]
    ) -> list[Voice]:
        """See `Engine`."""
        if not speech or not len(samples):
            return []
        import torch

        waveform = torch.from_numpy(samples / _FULL_SCALE)[np.newaxis]
        with self.weights.using(heartbeat) as pipeline:
            output = pipeline(
                {"waveform": waveform, "sample_rate": SAMPLE_RATE},
                hook=lambda *_, **__: heartbeat(),
            )
        heartbeat()
        return voices(output, len(samples) / SAMPLE_RATE, exclusive=self._exclusive)


@asynccontextmanager
async def create(settings: DiarizationSettings) -> AsyncIterator[PyannoteEngine]:
    """Verifies and loads the pipeline.

    Raises:
        StageError: FAILED_PRECONDITION with ENGINE_NOT_INSTALLED, MODEL_MISSING, MODEL_CORRUPT,
            MODEL_UNSAFE or DEVICE_UNAVAILABLE.
    """
    require_package("pyannote", PACKAGE)
    with ThreadPoolExecutor(1, "pyannote") as executor:
        yield await asyncio.get_running_loop().run_in_executor(
            executor, partial(_open, settings, executor)
        )


def _open(settings: DiarizationSettings, executor: ThreadPoolExecutor) -> PyannoteEngine:
    chosen = settings.pyannote
    path = find_model(chosen)
    files = model_files(path)
    sha256 = verify_model(path, files, chosen)
    prepare_environment()
    device = open_device(chosen, settings.threads, VARIABLE)
    source = Source(files=files, read=lambda: load_pipeline(path, device), release=release_memory)
    size = sum(file.stat().st_size for file in files) if device.type == "cuda" else 0
    version = _version(path, chosen, sha256, str(device))
    return PyannoteEngine(Weights(source, executor), chosen, version, size)


def _version(
    path: Path, settings: PyannoteSettings, sha256: str, device: str
) -> common.EngineVersion:
    packages = (PACKAGE, "torch")
    library = ", ".join(f"{name} {require_package('pyannote', name)}" for name in packages)
    return common.EngineVersion(
        engine="pyannote",
        library=library,
        model_name=settings.variant or path.resolve().name,
        model_path=str(path),
        checkpoint_sha256=sha256,
        compute_type="float32",
        device=device,
        parameters={"exclusive": json.dumps(settings.exclusive)},
    )


def _calibration(same_speaker: float) -> Calibration:
    """Thresholds for speakers of chunks. None was measured, so no number of speakers is sure."""
    return Calibration(
        same_speaker=same_speaker,
        # The pipeline has joined the voices of a chunk already.
        surely_same_speaker=1.0,
        min_duration=0.5,
        min_speaker_duration=1.5,
        min_speaker_share=0.0,
        sure_speaker_duration=1.5,
        count_accuracy=((0.0, 0.5),),
    )
