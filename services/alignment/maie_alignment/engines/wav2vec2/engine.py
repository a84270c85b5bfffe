"""The engine `wav2vec2`."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from functools import partial

import numpy as np
from numpy.typing import NDArray

from maie.common.v1 import types_pb2 as common
from maie_alignment.engine import AlignedWord, Samples
from maie_alignment.engines.ctc.aligner import CtcAligner
from maie_alignment.engines.ctc.audio import Waveform
from maie_alignment.engines.ctc.folder import DEFAULT_MODEL, CtcFolder, read_folder
from maie_alignment.engines.wav2vec2 import onnx_model, torch_model
from maie_alignment.engines.wav2vec2.model import CtcModel
from maie_alignment.engines.wav2vec2.onnx_model import OnnxModel
from maie_alignment.engines.wav2vec2.torch_model import TorchModel
from maie_alignment.settings import AlignmentSettings, Wav2Vec2Settings
from maie_core.errors import Code, StageError
from maie_core.models import model_corrupt, model_store
from maie_core.reasons import Reason

_WEIGHTS = {"onnx": onnx_model.WEIGHTS, "torch": torch_model.WEIGHTS}


class Wav2Vec2Engine:
    """Aligns by a CTC model, and a search of this project's own.

    Args:
        model: The model.
        folder: What its folder says.
        settings: The engine's settings.
        executor: Runs it, in a thread for each slot.
    """

    weights = None

    def __init__(
        self,
        model: CtcModel,
        folder: CtcFolder,
        settings: Wav2Vec2Settings,
        executor: ThreadPoolExecutor,
    ) -> None:
        self._model = model
        self._executor = executor
        self._aligner = CtcAligner(self._hear, folder, executor)
        self.max_seconds = model.max_seconds
        what = "sounds" if folder.vocabulary.has_phones else "letters"
        self.description = f"A CTC model of {what} on {model.device}, by {model.library}."
        self.language_codes = ("en",) if folder.vocabulary.has_phones else tuple(settings.languages)
        self.vram_bytes = model.vram_bytes
        self.version = common.EngineVersion(
            engine="wav2vec2",
            library=model.library,
            model_name=folder.path.resolve().name,
            model_path=str(settings.model_path or ""),
            checkpoint_sha256=folder.sha256,
            compute_type=model.compute_type,
            device=model.device,
            parameters=model.parameters,
        )

    async def align(self, samples: Samples, words: Sequence[str]) -> list[AlignedWord]:
        """Finds the words.

        Raises:
            StageError: INTERNAL with ENGINE_FAILED or MODEL_ANSWER_INVALID.
        """
        return await self._aligner.align(samples, words)

    async def _hear(self, audio: Waveform) -> NDArray[np.float32]:
        stopped = threading.Event()
        try:
            return await asyncio.get_running_loop().run_in_executor(
                self._executor, self._run, audio, stopped
            )
        finally:
            stopped.set()

    def _run(self, audio: Waveform, stopped: threading.Event) -> NDArray[np.float32]:
        try:
            return self._model.run(audio, stopped)
        # Libraries raise errors of their own, of which nobody lists all.
        except Exception as error:
            raise StageError(
                Code.INTERNAL,
                Reason.ENGINE_FAILED,
                f"The CTC model failed ({type(error).__name__}); the worker's log has more.",
            ) from error


@asynccontextmanager
async def create(settings: AlignmentSettings) -> AsyncIterator[Wav2Vec2Engine]:
    """Reads the model.

    Raises:
        StageError: FAILED_PRECONDITION with MODEL_MISSING, MODEL_CORRUPT, MODEL_UNSAFE,
            DEVICE_UNAVAILABLE or ENGINE_NOT_INSTALLED.
    """
    with ThreadPoolExecutor(settings.slots, "wav2vec2") as executor:
        yield await asyncio.get_running_loop().run_in_executor(
            executor, partial(_open, settings, executor)
        )


def _open(settings: AlignmentSettings, executor: ThreadPoolExecutor) -> Wav2Vec2Engine:
    own = settings.wav2vec2
    root = own.model_path or model_store(settings.mesh.models_dir) / DEFAULT_MODEL
    weights = _WEIGHTS[own.backend]
    folder = read_folder(root, weights, own.sha256, "MAIE_ALIGNMENT_WAV2VEC2_MODEL_PATH")
    model: CtcModel
    model = OnnxModel(root / weights, own) if own.backend == "onnx" else TorchModel(root, own)
    size = folder.vocabulary.size
    if model.columns not in (0, size):
        raise model_corrupt(
            f"The model in {root} has {model.columns} symbols, and its vocabulary {size}."
        )
    return Wav2Vec2Engine(model, folder, own, executor)
