"""The engine `silero`: a verified model, and one thread for each recording in progress."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import asynccontextmanager
from importlib.metadata import version
from pathlib import Path

import onnxruntime

from maie.common.v1 import types_pb2 as common
from maie_core.errors import Code, StageError
from maie_core.reasons import Reason
from maie_preprocess.settings import PreprocessSettings
from maie_speech.silero import SHIPPED_MODEL, SileroTrack, open_model


def _missing(path: Path, error: OSError) -> StageError:
    return StageError(
        Code.FAILED_PRECONDITION,
        Reason.MODEL_MISSING,
        f"The Silero VAD model {path} cannot be read ({error.strerror}); set "
        "MAIE_PREPROCESS_VAD_MODEL to a readable file.",
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
    try:
        session = open_model(content)
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


class Track:
    """One recording; see `SpeechTrack`."""

    def __init__(self, session: onnxruntime.InferenceSession, executor: Executor) -> None:
        self._track = SileroTrack(session)
        self._executor = executor

    async def feed(self, samples: bytes) -> Sequence[float]:
        """See `SpeechTrack`."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._executor, self._track.feed, samples)


class SileroEngine:
    """Silero VAD on the CPU, with one thread for each recording in progress."""

    def __init__(
        self,
        session: onnxruntime.InferenceSession,
        engine_version: common.EngineVersion,
        executor: Executor,
    ) -> None:
        self._session = session
        self._executor = executor
        self.version = engine_version

    def track(self) -> Track:
        """See `SpeechEngine`."""
        return Track(self._session, self._executor)


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
