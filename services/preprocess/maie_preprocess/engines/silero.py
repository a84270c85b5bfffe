"""Silero VAD, an ONNX model that ships with this package."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import asynccontextmanager
from importlib.metadata import version
from pathlib import Path

import numpy as np
import onnxruntime

from maie.common.v1 import types_pb2 as common
from maie_preprocess.engine import FRAME_SAMPLES
from maie_preprocess.settings import PreprocessSettings
from maie_runtime.errors import Code, StageError
from maie_runtime.reasons import Reason

SHIPPED_MODEL = Path(__file__).parents[1] / "models" / "silero-vad" / "silero_vad_v6.onnx"
# What the model sees of the frame before, and the size of its memory.
CONTEXT_SAMPLES = 64
STATE_SHAPE = (1, 1, 128)
FULL_SCALE = 32768.0


def _missing(path: Path, error: OSError) -> StageError:
    return StageError(
        Code.FAILED_PRECONDITION,
        Reason.MODEL_MISSING,
        f"The Silero VAD model {path} cannot be read ({error.strerror}); set "
        "MAIE_PREPROCESS_VAD_MODEL to a file that can.",
    )


def _corrupt(path: Path, why: str) -> StageError:
    return StageError(
        Code.FAILED_PRECONDITION,
        Reason.MODEL_CORRUPT,
        f"The Silero VAD model {path} is not the expected one: {why}; install it again or set "
        "MAIE_PREPROCESS_VAD_MODEL_SHA256.",
    )


def _load(
    path: Path, settings: PreprocessSettings
) -> tuple[onnxruntime.InferenceSession, common.EngineVersion]:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise _missing(path, error) from error
    digest = hashlib.sha256(content).hexdigest()
    expected = settings.vad_model_sha256
    if expected and digest != expected:
        raise _corrupt(path, f"its SHA-256 is {digest}, not {expected}")
    options = onnxruntime.SessionOptions()
    options.inter_op_num_threads = options.intra_op_num_threads = 1
    # The arena would keep the largest window's memory for good.
    options.enable_cpu_mem_arena = False
    options.log_severity_level = 4
    try:
        session = onnxruntime.InferenceSession(
            content, providers=["CPUExecutionProvider"], sess_options=options
        )
    except Exception as error:
        raise _corrupt(path, "onnxruntime cannot load it") from error
    return session, _version(path, digest, settings)


def _version(path: Path, digest: str, settings: PreprocessSettings) -> common.EngineVersion:
    return common.EngineVersion(
        engine="silero",
        library=f"onnxruntime {version('onnxruntime')}",
        model_name="silero-vad",
        model_variant=path.stem,
        model_path=str(path) if settings.vad_model is not None else "",
        checkpoint_sha256=digest,
        compute_type="float32",
        device="cpu",
    )


class SileroTrack:
    """One recording; carries the model's memory from window to window."""

    def __init__(self, session: onnxruntime.InferenceSession, executor: Executor) -> None:
        self._session = session
        self._executor = executor
        self._hidden = np.zeros(STATE_SHAPE, np.float32)
        self._cell = np.zeros(STATE_SHAPE, np.float32)
        self._context = np.zeros(CONTEXT_SAMPLES, np.float32)

    async def feed(self, samples: bytes) -> Sequence[float]:
        """See `SpeechTrack`."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._executor, self._feed, samples)

    def _feed(self, samples: bytes) -> Sequence[float]:
        sound = np.frombuffer(samples, "<i2").astype(np.float32) / FULL_SCALE
        sound = np.pad(sound, (0, -len(sound) % FRAME_SAMPLES))
        sound = np.concatenate([self._context, sound])
        self._context = sound[-CONTEXT_SAMPLES:]
        # Each frame together with the last samples of the one before.
        frames = np.lib.stride_tricks.sliding_window_view(sound, CONTEXT_SAMPLES + FRAME_SAMPLES)
        probabilities, self._hidden, self._cell = self._session.run(
            None,
            {
                "input": np.ascontiguousarray(frames[::FRAME_SAMPLES]),
                "h": self._hidden,
                "c": self._cell,
            },
        )
        values: list[float] = np.ravel(probabilities).tolist()
        return values


class SileroEngine:
    """Silero VAD on the CPU, one thread for each recording in hand."""

    def __init__(
        self,
        session: onnxruntime.InferenceSession,
        engine_version: common.EngineVersion,
        executor: Executor,
    ) -> None:
        self._session = session
        self._executor = executor
        self.version = engine_version

    def track(self) -> SileroTrack:
        """See `SpeechEngine`."""
        return SileroTrack(self._session, self._executor)


@asynccontextmanager
async def create(settings: PreprocessSettings) -> AsyncIterator[SileroEngine]:
    """Loads the model and verifies it.

    Raises:
        StageError: FAILED_PRECONDITION with MODEL_MISSING or MODEL_CORRUPT.
    """
    with ThreadPoolExecutor(settings.slots, thread_name_prefix="vad") as executor:
        loop = asyncio.get_running_loop()
        path = settings.vad_model or SHIPPED_MODEL
        session, engine_version = await loop.run_in_executor(executor, _load, path, settings)
        yield SileroEngine(session, engine_version, executor)
