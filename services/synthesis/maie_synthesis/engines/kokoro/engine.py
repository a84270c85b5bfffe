"""The engine `kokoro`."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from functools import partial
from importlib.metadata import version

import numpy as np
import onnxruntime as ort

from maie.common.v1 import types_pb2 as common
from maie_core.models import model_store
from maie_synthesis.engine import EngineVoice, Samples, SpokenPiece, UnspeakableError
from maie_synthesis.engines.kokoro.model import NAME, RATE, KokoroModel, read_model
from maie_synthesis.engines.kokoro.phonemes import phonemes
from maie_synthesis.engines.onnx import samples_of, spoken_within
from maie_synthesis.settings import SynthesisSettings
from maie_synthesis.text.tokens import Piece

# The network takes 512 numbers, of which the first and the last are silence.
MAX_PHONEMES = 510
LANGUAGE = "en-US"


class KokoroEngine:
    """Kokoro in this process, a call in each thread.

    Args:
        model: The model.
        settings: The service's settings.
        executor: A thread for each slot.
    """

    description = "Kokoro: natural English voices of a neural network with 82 million weights."
    # Of a small model, which shares no GPU.
    vram_bytes = 0
    weights = None

    def __init__(
        self, model: KokoroModel, settings: SynthesisSettings, executor: ThreadPoolExecutor
    ) -> None:
        self._model = model
        self._executor = executor
        self._seconds = settings.sentence_seconds
        self.voices = tuple(
            EngineVoice(
                name=name, description=f"Kokoro's voice {name}, in English.", language=LANGUAGE
            )
            for name in model.voices
        )
        own = settings.kokoro
        self._version = common.EngineVersion(
            engine="kokoro",
            library=f"onnxruntime {version('onnxruntime')}",
            model_name=NAME if own.model_path is None else own.model_path.name,
            checkpoint_sha256=model.sha256,
            device=own.device,
            parameters={"threads": json.dumps(own.threads)},
        )

    @property
    def version(self) -> common.EngineVersion:
        """The library, and the digest of the model."""
        return self._version

    async def speak(self, piece: Piece, voice: str, speed: float) -> SpokenPiece:
        """Speaks a piece; see `Engine.speak`."""
        work = partial(self._speak, piece, voice, speed)
        return await spoken_within(self._seconds, self._executor, work, "Kokoro")

    def _speak(
        self, piece: Piece, voice: str, speed: float, options: ort.RunOptions
    ) -> SpokenPiece:
        parts = [self._run(ids, voice, speed, options) for ids in self._numbers(piece)]
        if not parts:
            raise UnspeakableError("Kokoro has no sound for this.")
        return SpokenPiece(samples=np.concatenate(parts), rate=RATE)

    def _numbers(self, piece: Piece) -> Iterator[list[int]]:
        """The numbers of the phonemes, as many at a time as the network takes."""
        known, space = self._model.vocabulary, self._model.vocabulary[" "]
        batch: list[int] = []
        for sounds in phonemes(piece.tokens, self._model.lexicon):
            numbers = [known[each] for each in sounds]
            for place in range(0, len(numbers), MAX_PHONEMES):
                part = numbers[place : place + MAX_PHONEMES]
                if batch and len(batch) + 1 + len(part) > MAX_PHONEMES:
                    yield batch
                    batch = []
                batch = [*batch, space, *part] if batch else part
        if batch:
            yield batch

    def _run(self, ids: list[int], voice: str, speed: float, options: ort.RunOptions) -> Samples:
        styles = self._model.voices[voice]
        feed = {
            "tokens": np.array([[0, *ids, 0]], np.int64),
            "style": styles[min(len(ids), len(styles) - 1)][None, :],
            "speed": np.array([speed], np.float32),
        }
        try:
            (made,) = self._model.session.run(["audio"], feed, options)
        except Exception as error:
            raise UnspeakableError(f"Kokoro failed at this ({type(error).__name__}).") from error
        return samples_of(made, "Kokoro")


@asynccontextmanager
async def create(settings: SynthesisSettings) -> AsyncIterator[KokoroEngine]:
    """Reads the model.

    Raises:
        StageError: FAILED_PRECONDITION with MODEL_MISSING, MODEL_CORRUPT or DEVICE_UNAVAILABLE.
    """
    own = settings.kokoro
    root = own.model_path or model_store(settings.mesh.models_dir) / NAME
    with ThreadPoolExecutor(settings.slots, "kokoro") as executor:
        read = partial(read_model, root, own.sha256, own.threads, own.device)
        model = await asyncio.get_running_loop().run_in_executor(executor, read)
        yield KokoroEngine(model, settings, executor)
