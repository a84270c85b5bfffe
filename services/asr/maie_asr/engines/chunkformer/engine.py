"""The engine `chunkformer`."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import numpy as np

from maie.common.v1 import types_pb2 as common
from maie_asr.engine import (
    SAMPLE_RATE,
    Capabilities,
    RecognizedSegment,
    RecognizeOptions,
    Samples,
    Speech,
)
from maie_asr.engines.chunkformer.model import (
    WEIGHTS,
    find_model,
    library_version,
    load_model,
    require_packages,
    verify_model,
)
from maie_asr.settings import AsrSettings, ChunkformerSettings

# The library fails on audio that is shorter than its filters and convolutions.
MIN_SAMPLES = SAMPLE_RATE // 2


class ChunkformerEngine:
    """Transcribes a chunk of any length in one pass, and splits the text at silences.

    It has one model and transcribes one chunk at a time. It gives the times of segments, not of
    words, and no confidence: greedy search has no meaningful one.

    Args:
        model: The model.
        path: The model's directory.
        settings: The engine's settings.
        executor: The thread in which the model runs.
        version: The software and the model, without parameters.
    """

    description = "ChunkFormer, for recordings of many hours in one language."
    weights = None

    def __init__(
        self,
        model: Any,
        path: Path,
        settings: ChunkformerSettings,
        executor: ThreadPoolExecutor,
        version: common.EngineVersion,
    ) -> None:
        self._model = model
        self._executor = executor
        self._settings = settings
        self._version = version
        for name, value in _parameters(settings).items():
            version.parameters[name] = json.dumps(value)
        self.capabilities = Capabilities(language_codes=(settings.language_code,))
        on_gpu = settings.device == "cuda"
        self.vram_bytes = (path / WEIGHTS).stat().st_size if on_gpu else 0

    def version(self, options: RecognizeOptions) -> common.EngineVersion:
        """The same for all options."""
        return self._version

    async def recognize(
        self, speech: Speech, options: RecognizeOptions
    ) -> AsyncGenerator[RecognizedSegment, None]:
        """Yields all segments after the chunk is transcribed.

        Closing the iteration returns at once; the thread finishes the current chunk, drops its
        result and only then starts the next one.
        """
        loop = asyncio.get_running_loop()
        for found in await loop.run_in_executor(self._executor, self._decode, speech.samples):
            yield RecognizedSegment(
                text=found["decode"].strip(),
                start=min(seconds_of(found["start"]), speech.seconds),
                end=min(seconds_of(found["end"]), speech.seconds),
                language=self._settings.language_code,
            )

    def _decode(self, samples: Samples) -> list[dict[str, str]]:
        import torch

        padded = np.pad(samples, (0, max(0, MIN_SAMPLES - len(samples))))
        device = "cuda" if self._settings.device == "cuda" else "cpu"
        with torch.autocast(
            device,
            dtype=getattr(torch, self._settings.compute_type),
            enabled=self._settings.compute_type != "float32",
        ):
            return list(self._model.endless_decode(padded, **_parameters(self._settings)))


@asynccontextmanager
async def create(settings: AsrSettings) -> AsyncIterator[ChunkformerEngine]:
    """Verifies and loads the model.

    Raises:
        StageError: FAILED_PRECONDITION with ENGINE_NOT_INSTALLED, MODEL_MISSING, MODEL_CORRUPT,
            MODEL_UNSAFE or DEVICE_UNAVAILABLE.
    """
    require_packages()
    chosen = settings.chunkformer
    loop = asyncio.get_running_loop()
    with ThreadPoolExecutor(1, "chunkformer") as executor:
        path = await loop.run_in_executor(executor, find_model, chosen)
        sha256 = await loop.run_in_executor(executor, verify_model, path, chosen)
        model = await loop.run_in_executor(executor, load_model, path, chosen)
        model._load_audio_and_extract_features = lambda samples: features(model, samples)
        yield ChunkformerEngine(model, path, chosen, executor, _version(path, chosen, sha256))


def features(model: Any, samples: Samples) -> tuple[Any, int]:
    """Replaces the library's feature extraction, which takes a file, for samples in memory.

    Returns:
        Filter banks of shape (frames, bins), and the number of frames.
    """
    import torch
    from torchaudio.compliance import kaldi

    config = getattr(model.config, "fbank_conf", {})
    waveform = torch.as_tensor(samples, dtype=torch.float32, device=model.device).unsqueeze(0)
    banks = kaldi.fbank(
        waveform,
        num_mel_bins=config.get("num_mel_bins", 80),
        frame_length=config.get("frame_length", 25),
        frame_shift=config.get("frame_shift", 10),
        dither=0.0,
        energy_floor=0.0,
        sample_frequency=SAMPLE_RATE,
    )
    return banks, banks.shape[0]


def seconds_of(time: str) -> float:
    """Converts the library's HH:MM:SS:mmm to seconds."""
    hours, minutes, seconds, milliseconds = (int(part) for part in time.split(":"))
    return hours * 3600 + minutes * 60 + seconds + milliseconds / 1000


def _parameters(settings: ChunkformerSettings) -> dict[str, Any]:
    return {
        "chunk_size": settings.chunk_size,
        "left_context_size": settings.left_context_size,
        "right_context_size": settings.right_context_size,
        "total_batch_duration": settings.total_batch_seconds,
        "return_timestamps": True,
        "max_silence_duration": settings.max_silence_seconds,
    }


def _version(path: Path, settings: ChunkformerSettings, sha256: str) -> common.EngineVersion:
    on_gpu = settings.device == "cuda"
    return common.EngineVersion(
        engine="chunkformer",
        library=library_version(),
        model_name=settings.variant or path.resolve().name,
        model_path=str(path),
        checkpoint_sha256=sha256,
        compute_type=settings.compute_type,
        device=f"cuda:{settings.device_index}" if on_gpu else "cpu",
    )
