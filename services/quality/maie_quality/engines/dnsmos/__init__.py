"""The engine `dnsmos`: Microsoft's DNSMOS (P.835 and P.808) by onnxruntime."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from typing import Final

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from maie.common.v1 import types_pb2 as common
from maie_quality.engine import SAMPLE_RATE, Opinion, Rating, Samples, mean_opinion
from maie_quality.engines.dnsmos.mel import mel_levels
from maie_quality.engines.dnsmos.models import P808, P835, dnsmos_version
from maie_quality.settings import QualitySettings
from maie_runtime.gpu.devices import Device
from maie_speech.shipped_models import open_model_on

# What the models were trained on: 9.01 s.
WINDOW: Final = 144_160
# What the model for P.808 leaves out at the end, so that it has 900 frames.
_REST: Final = 160
_DEVICE: Final = "MAIE_QUALITY_DEVICE"
_FULL_SCALE: Final = np.float32(32768)
# The model's raw scores become opinions by these polynomials (DNSMOS P.835, highest power first):
# speech, background and overall.
_SCALES: Final = (
    (-0.08397278, 1.22083953, 0.0052439),
    (-0.13166888, 1.60915514, -0.39604546),
    (-0.06766283, 1.11546468, 0.04602535),
)


class DnsmosEngine:
    """See `Engine`."""

    description = "Microsoft's DNSMOS, by onnxruntime."
    # Of small models, which share no GPU.
    weights = None

    def __init__(
        self, p835: onnxruntime.InferenceSession, p808: onnxruntime.InferenceSession, device: str
    ) -> None:
        self._p835 = p835
        self._p808 = p808
        self._device = device
        sizes = (each.path.stat().st_size for each in (P835, P808))
        self.vram_bytes = 0 if device == "cpu" else sum(sizes)

    @classmethod
    def load(cls, *, threads: int = 1, device: Device = "cpu") -> DnsmosEngine:
        """Verifies and loads the models. Blocks.

        Args:
            threads: The number of threads that a call uses on a CPU, at least 1.
            device: Where they run; with `auto`, on the first device that there is.

        Raises:
            StageError: FAILED_PRECONDITION with MODEL_MISSING, MODEL_CORRUPT or DEVICE_UNAVAILABLE.
        """
        p835, found = open_model_on(device, P835, threads, _DEVICE)
        p808, _ = open_model_on(device, P808, threads, _DEVICE)
        return cls(p835, p808, found)

    @property
    def version(self) -> common.EngineVersion:
        """See `Engine`."""
        return dnsmos_version(self._device)

    def rate(self, samples: Samples, step: float, heartbeat: Callable[[], None]) -> list[Rating]:
        """See `Engine`. A window is 9.01 s; a shorter sound is repeated until it is as long."""
        opinions = []
        starts = []
        for start, window in _windows(samples, step):
            starts.append(start)
            opinions.append(self._opinion(window))
            heartbeat()
        if 0 < len(samples) < WINDOW:
            return [Rating(start=0, end=len(samples), opinion=mean_opinion(opinions))]
        return [
            Rating(start=start, end=start + WINDOW, opinion=opinion)
            for start, opinion in zip(starts, opinions, strict=True)
        ]

    def _opinion(self, window: NDArray[np.float32]) -> Opinion:
        ((raw,),) = self._p835.run(None, {"input_1": window[np.newaxis]})
        mels = mel_levels(window[:-_REST])
        ((crowd,),) = self._p808.run(None, {"input_1": mels[np.newaxis]})[0]
        speech, background, overall = (
            float(np.polyval(scale, score)) for scale, score in zip(_SCALES, raw, strict=True)
        )
        return Opinion(overall=overall, speech=speech, background=background, crowd=float(crowd))


def _windows(samples: Samples, step: float) -> Iterator[tuple[int, NDArray[np.float32]]]:
    """The windows of a sound, -1 to 1, and where each begins.

    As Microsoft's script: a short sound is doubled until it is long enough, and what is left of a
    last second is in no window but the first.
    """
    if not len(samples):
        return
    while len(samples) < WINDOW:
        samples = np.tile(samples, 2)
    whole = max(WINDOW, len(samples) // SAMPLE_RATE * SAMPLE_RATE)
    for start in range(0, whole - WINDOW + 1, max(1, round(step * SAMPLE_RATE))):
        yield start, samples[start : start + WINDOW].astype(np.float32) / _FULL_SCALE


@asynccontextmanager
async def create(settings: QualitySettings) -> AsyncIterator[DnsmosEngine]:
    """Loads the models and verifies them.

    Raises:
        StageError: FAILED_PRECONDITION with MODEL_MISSING, MODEL_CORRUPT or DEVICE_UNAVAILABLE.
    """
    yield await asyncio.to_thread(
        DnsmosEngine.load, threads=settings.threads, device=settings.device
    )
