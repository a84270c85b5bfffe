"""The engine `chatterbox`."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version
from typing import TYPE_CHECKING

import numpy as np
import onnxruntime as ort

from maie.common.v1 import types_pb2 as common
from maie_core.models import model_store
from maie_synthesis.engine import EngineVoice, Samples, SpokenPiece, UnspeakableError
from maie_synthesis.engines.chatterbox.files import NAME, RATE, Folder, open_folder
from maie_synthesis.engines.chatterbox.model import ChatterboxModel, Voice, voice_of
from maie_synthesis.engines.chatterbox.pace import paced
from maie_synthesis.engines.chatterbox.voices import Reference, read_references
from maie_synthesis.engines.chatterbox.writing import written
from maie_synthesis.engines.onnx import samples_of, spoken_within
from maie_synthesis.settings import ChatterboxSettings, SynthesisSettings
from maie_synthesis.text.tokens import Piece

if TYPE_CHECKING:
    from tokenizers import Tokenizer

LANGUAGE = "en"


@dataclass(kw_only=True, frozen=True, slots=True, eq=False)
class Opened:
    """What the engine speaks with.

    Attributes:
        folder: The model's files.
        model: The networks.
        tokenizer: Makes tokens of text.
        references: The voices' recordings, in order.
        voices: The voices by name.
    """

    folder: Folder
    model: ChatterboxModel
    tokenizer: Tokenizer
    references: Sequence[Reference]
    voices: Mapping[str, Voice]


class ChatterboxEngine:
    """Chatterbox Turbo in this process, a call in each thread.

    Args:
        opened: The model and its voices.
        settings: The service's settings.
        executor: A thread for each slot.
    """

    description = "Chatterbox Turbo: English in the voices of reference recordings."
    weights = None

    def __init__(
        self, opened: Opened, settings: SynthesisSettings, executor: ThreadPoolExecutor
    ) -> None:
        self._opened = opened
        self._executor = executor
        self._seconds = settings.sentence_seconds
        own = settings.chatterbox
        self.vram_bytes = 0 if own.device == "cpu" else opened.folder.weight_bytes
        self.voices = tuple(
            EngineVoice(
                name=each.name,
                description=f"The voice of the reference recording {each.name}, in English.",
                language=LANGUAGE,
            )
            for each in opened.references
        )
        self._version = _version(opened, own)

    @property
    def version(self) -> common.EngineVersion:
        """The library, and the digests of the model and of the reference recordings."""
        return self._version

    async def speak(self, piece: Piece, voice: str, speed: float) -> SpokenPiece:
        """Speaks a piece; see `Engine.speak`."""
        work = partial(self._speak, piece, voice, speed)
        return await spoken_within(self._seconds, self._executor, work, "Chatterbox")

    def _speak(
        self, piece: Piece, voice: str, speed: float, options: ort.RunOptions
    ) -> SpokenPiece:
        sounds = [self._sound(text, voice, options) for text in written(piece.tokens)]
        return SpokenPiece(samples=paced(np.concatenate(sounds), RATE, speed), rate=RATE)

    def _sound(self, text: str, voice: str, options: ort.RunOptions) -> Samples:
        ids = self._opened.tokenizer.encode(text).ids
        try:
            sound = self._opened.model.speak(ids, self._opened.voices[voice], options)
        except UnspeakableError:
            raise
        except Exception as error:
            message = f"Chatterbox failed at this ({type(error).__name__})."
            raise UnspeakableError(message) from error
        return samples_of(sound, "Chatterbox")


def _version(opened: Opened, own: ChatterboxSettings) -> common.EngineVersion:
    voices = {each.name: each.sha256 for each in opened.references}
    return common.EngineVersion(
        engine="chatterbox",
        library=f"onnxruntime {version('onnxruntime')}",
        model_name=NAME if own.model_path is None else own.model_path.name,
        checkpoint_sha256=opened.folder.sha256,
        compute_type=own.precision,
        device=own.device,
        parameters={"threads": json.dumps(own.threads), "voices": json.dumps(voices)},
    )


@asynccontextmanager
async def create(settings: SynthesisSettings) -> AsyncIterator[ChatterboxEngine]:
    """Reads the model and encodes the reference voices.

    Raises:
        StageError: FAILED_PRECONDITION with ENGINE_NOT_INSTALLED, MODEL_MISSING, MODEL_CORRUPT,
            DEVICE_UNAVAILABLE or REFERENCE_VOICE_INVALID.
    """
    with ThreadPoolExecutor(settings.slots, "chatterbox") as executor:
        opened = await asyncio.get_running_loop().run_in_executor(executor, _open, settings)
        yield ChatterboxEngine(opened, settings, executor)


def _open(settings: SynthesisSettings) -> Opened:
    own = settings.chatterbox
    # First what is quickly known to be wrong.
    references = read_references(own.voices_path)
    root = own.model_path or model_store(settings.mesh.models_dir) / NAME
    folder = open_folder(root, own.precision, own.sha256)
    tokenizer = folder.tokenizer()
    # Only voices need the encoder: its memory is free again when they are known.
    encoder = folder.open("speech_encoder", own.threads, own.device)
    voices = {each.name: voice_of(encoder, each) for each in references}
    del encoder
    return Opened(
        folder=folder,
        model=ChatterboxModel(folder, own.threads, own.device),
        tokenizer=tokenizer,
        references=references,
        voices=voices,
    )
