"""The turn detector `smart-turn`: version 3 of pipecat's model, on a CPU.

The model takes what Whisper would take of eight seconds, and gives the probability that a speaker
is done. It judges by the sound alone: it knows no words.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import numpy as np
from faster_whisper.feature_extractor import FeatureExtractor
from numpy.typing import NDArray

from maie_asr.engine import SAMPLE_RATE, Samples
from maie_asr.settings import AsrSettings
from maie_core.errors import StageError
from maie_core.models import model_corrupt, model_missing, model_store, verified_sha256
from maie_speech.silero import open_model

DEFAULT_MODEL = "smart-turn-v3.2"
MODEL_FILE = "smart-turn.onnx"
WINDOW_SECONDS = 8
WINDOW_SAMPLES = WINDOW_SECONDS * SAMPLE_RATE
MEL_BANDS = 80
INPUT = "input_features"
_FULL_SCALE = 32768.0
# As Whisper's feature extractor in transformers has it, with which the model was trained.
_LEAST_VARIANCE = 1e-7


class SmartTurn:
    """Judges by the last eight seconds.

    Args:
        session: The model.
        executor: The threads in which it is used.
    """

    def __init__(self, session: Any, executor: Executor) -> None:
        self._session = session
        self._executor = executor
        self._extractor = FeatureExtractor(feature_size=MEL_BANDS, chunk_length=WINDOW_SECONDS)

    async def probability(self, samples: Samples) -> float:
        """How probable it is that the speaker is done, 0 to 1."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._executor, self.judge, samples)

    def judge(self, samples: Samples) -> float:
        """Likewise; blocks for about 50 ms."""
        features = self.features(samples)[np.newaxis]
        (found,) = self._session.run(None, {INPUT: features})
        return float(found[0, 0])

    def features(self, samples: Samples) -> NDArray[np.float32]:
        """What the model takes: the logarithmic mel spectrum of a window with the sound at its end.

        Args:
            samples: The sound; what is before the last eight seconds does not count.
        """
        sound = samples[-WINDOW_SAMPLES:].astype(np.float32) / _FULL_SCALE
        window = np.pad(sound, (WINDOW_SAMPLES - len(sound), 0))
        even = (window - window.mean()) / np.sqrt(window.var() + _LEAST_VARIANCE)
        features: NDArray[np.float32] = self._extractor(even, padding=0).astype(np.float32)
        return features


@asynccontextmanager
async def create(settings: AsrSettings) -> AsyncIterator[SmartTurn]:
    """Yields the detector, once it has judged silence.

    Raises:
        StageError: FAILED_PRECONDITION with MODEL_MISSING or MODEL_CORRUPT.
    """
    live = settings.live
    path = live.turn_model_path or model_store(settings.mesh.models_dir) / DEFAULT_MODEL
    with ThreadPoolExecutor(live.worker_count, "smart-turn") as executor:
        loop = asyncio.get_running_loop()
        session = await loop.run_in_executor(executor, _load, path, live.turn_model_sha256)
        detector = SmartTurn(session, executor)
        await detector.probability(np.zeros(WINDOW_SAMPLES, np.int16))
        yield detector


def _load(path: Path, sha256: str) -> Any:
    file = path / MODEL_FILE
    if not file.is_file():
        raise model_missing(
            f"There is no {MODEL_FILE} in {path}; run `maie models pull {DEFAULT_MODEL}`, or set "
            "MAIE_ASR_LIVE_TURN_MODEL_PATH to the directory that has it."
        )
    verified_sha256(path, [MODEL_FILE], sha256)
    try:
        session = open_model(file.read_bytes())
    except Exception as error:
        raise _no_model(file) from error
    if [each.name for each in session.get_inputs()] != [INPUT]:
        raise _no_model(file)
    return session


def _no_model(file: Path) -> StageError:
    return model_corrupt(f"The file {file} is no model of Smart Turn 3; fetch it again.")
