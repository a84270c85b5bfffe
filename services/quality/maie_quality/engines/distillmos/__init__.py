"""The engine `distillmos`: Microsoft's Distill-MOS by onnxruntime."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Final

import numpy as np
import onnxruntime

from maie.common.v1 import types_pb2 as common
from maie_quality.engine import SAMPLE_RATE, Opinion, Rating, Samples
from maie_quality.engines.distillmos.model import DISTILLMOS, distillmos_version
from maie_quality.engines.distillmos.spectrum import compressed_spectrum
from maie_quality.settings import QualitySettings
from maie_runtime.gpu.devices import Device
from maie_speech.shipped_models import open_model_on

# What the model was trained on: 7.68 s.
WINDOW: Final = 122_880
_DEVICE: Final = "MAIE_QUALITY_DEVICE"
_FULL_SCALE: Final = np.float32(32768)
# The model's quality, 0 to 1, becomes an opinion from 1 to 5.
_LOWEST: Final = 1.0
_RANGE: Final = 4.0
# Weights have 16 bits in the file, and 32 where they are computed with.
_GROWTH: Final = 2


class DistillMosEngine:
    """See `Engine`. Its opinions are of the whole sound alone."""

    description = "Microsoft's Distill-MOS, by onnxruntime."
    # Of a small model, which shares no GPU.
    weights = None

    def __init__(self, session: onnxruntime.InferenceSession, device: str) -> None:
        self._session = session
        self._device = device
        self.vram_bytes = 0 if device == "cpu" else _GROWTH * DISTILLMOS.path.stat().st_size

    @classmethod
    def load(cls, *, threads: int = 1, device: Device = "cpu") -> DistillMosEngine:
        """Verifies and loads the model. Blocks.

        Args:
            threads: The number of threads that a call uses on a CPU, at least 1.
            device: Where it runs; with `auto`, on the first device that there is.

        Raises:
            StageError: FAILED_PRECONDITION with MODEL_MISSING, MODEL_CORRUPT or DEVICE_UNAVAILABLE.
        """
        return cls(*open_model_on(device, DISTILLMOS, threads, _DEVICE))

    @property
    def version(self) -> common.EngineVersion:
        """See `Engine`."""
        return distillmos_version(self._device)

    def rate(self, samples: Samples, step: float, heartbeat: Callable[[], None]) -> list[Rating]:
        """See `Engine`. A window is 7.68 s; silence follows a shorter sound until it is as long."""
        if not len(samples):
            return []
        ratings = []
        last = max(0, len(samples) - WINDOW)
        for start in range(0, last + 1, max(1, round(step * SAMPLE_RATE))):
            window = samples[start : start + WINDOW]
            opinion = Opinion(overall=self._overall(window))
            ratings.append(Rating(start=start, end=start + len(window), opinion=opinion))
            heartbeat()
        return ratings

    def _overall(self, window: Samples) -> float:
        sound = np.zeros(WINDOW, np.float32)
        sound[: len(window)] = window / _FULL_SCALE
        spectrum = compressed_spectrum(sound)[np.newaxis]
        (quality,) = self._session.run(None, {"spectrum": spectrum})[0]
        return _LOWEST + _RANGE * float(quality)


@asynccontextmanager
async def create(settings: QualitySettings) -> AsyncIterator[DistillMosEngine]:
    """Loads the model and verifies it.

    Raises:
        StageError: FAILED_PRECONDITION with MODEL_MISSING, MODEL_CORRUPT or DEVICE_UNAVAILABLE.
    """
    yield await asyncio.to_thread(
        DistillMosEngine.load, threads=settings.threads, device=settings.device
    )
