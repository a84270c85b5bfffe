"""Kokoro's files, read strictly: what is not as it must be is an error."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from string import ascii_uppercase
from typing import Any, Final, Literal
from zipfile import BadZipFile

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from maie_core.errors import StageError
from maie_core.models import model_corrupt, model_missing, verified_sha256
from maie_synthesis.engines.kokoro.phonemes import Lexicon
from maie_synthesis.engines.onnx import open_network

NAME: Final = "kokoro-82m-int8"
RATE: Final = 24_000
DEVICE: Final = "MAIE_SYNTHESIS_KOKORO_DEVICE"
STYLE: Final = 256
MODEL: Final = "model.onnx"
VOICES: Final = "voices.npz"
VOCABULARY: Final = "vocab.json"
LEXICONS: Final = ("us_silver.json", "us_gold.json")
FILES: Final = (MODEL, VOICES, VOCABULARY, *LEXICONS)
_INPUTS: Final = {
    "tokens": "tensor(int64)",
    "style": "tensor(float)",
    "speed": "tensor(float)",
}
_OUTPUTS: Final = {"audio": "tensor(float)"}

Style = NDArray[np.float32]
"""A voice, of shape (lengths, 256): what it is like for a text of so many phonemes."""


@dataclass(kw_only=True, frozen=True, slots=True)
class KokoroModel:
    """What is in a folder.

    Attributes:
        session: The network.
        voices: The voices by name, in order.
        vocabulary: The number of each phoneme.
        lexicon: The phonemes of words, all of the vocabulary.
        sha256: The digest of all files.
    """

    session: ort.InferenceSession
    voices: Mapping[str, Style]
    vocabulary: Mapping[str, int]
    lexicon: Lexicon
    sha256: str


def read_model(
    root: Path, sha256: str, threads: int, device: Literal["cpu", "cuda"]
) -> KokoroModel:
    """Reads and checks a folder. Blocks.

    Args:
        root: The folder.
        sha256: The digest that it must have; empty: its manifest says it.
        threads: The threads of the network on a CPU.
        device: Where it runs.

    Raises:
        StageError: FAILED_PRECONDITION with MODEL_MISSING, MODEL_CORRUPT or DEVICE_UNAVAILABLE.
    """
    if missing := [name for name in FILES if not (root / name).is_file()]:
        raise model_missing(
            f"The model of the engine kokoro lacks {', '.join(missing)} in {root}; run "
            f"`maie models pull {NAME}`, or set MAIE_SYNTHESIS_KOKORO_MODEL_PATH."
        )
    digest = verified_sha256(root, FILES, sha256)
    vocabulary = _vocabulary(root / VOCABULARY)
    return KokoroModel(
        session=_session(root / MODEL, threads, device),
        voices=_voices(root / VOICES),
        vocabulary=vocabulary,
        lexicon=_lexicon(root, vocabulary),
        sha256=digest,
    )


def _session(path: Path, threads: int, device: Literal["cpu", "cuda"]) -> ort.InferenceSession:
    try:
        session = open_network(path, threads, device, DEVICE)
    except ValueError as error:
        raise _unlike(path, str(error)) from error
    inputs = {each.name: each.type for each in session.get_inputs()}
    outputs = {each.name: each.type for each in session.get_outputs()}
    if inputs != _INPUTS or outputs != _OUTPUTS:
        raise _unlike(path, f"it takes {inputs} and gives {outputs}, not {_INPUTS} and {_OUTPUTS}")
    return session


def _voices(path: Path) -> dict[str, Style]:
    try:
        # Arrays alone: a pickle in it is an error.
        with np.load(path, allow_pickle=False) as file:
            found = {name: file[name] for name in file.files}
    except (ValueError, OSError, BadZipFile) as error:
        raise _unlike(path, "it is no archive of arrays") from error
    for name, style in found.items():
        shape = style.shape
        if style.dtype != np.float32 or len(shape) != 3 or shape[1:] != (1, STYLE) or not shape[0]:
            raise _unlike(path, f"the voice {name} is {style.dtype} of shape {shape}")
        if not np.isfinite(style).all():
            raise _unlike(path, f"the voice {name} holds what is no number")
    if not found:
        raise _unlike(path, "it has no voice")
    return {name: style[:, 0, :] for name, style in sorted(found.items())}


def _vocabulary(path: Path) -> dict[str, int]:
    found = _json(path).get("vocab")
    if not isinstance(found, dict) or not all(
        len(sign) == 1 and type(number) is int and number > 0 for sign, number in found.items()
    ):
        raise _unlike(path, "it has no `vocab` of numbers by phoneme")
    if missing := [sign for sign in " ,.?!" if sign not in found]:
        raise _unlike(path, f"it lacks {missing}")
    return found


def _lexicon(root: Path, vocabulary: Mapping[str, int]) -> dict[str, str]:
    lexicon: dict[str, str] = {}
    for name in LEXICONS:
        for word, said in _json(root / name).items():
            sounds = said.get("DEFAULT") if isinstance(said, dict) else said
            if isinstance(sounds, str) and sounds and all(each in vocabulary for each in sounds):
                lexicon[word] = sounds
    if missing := [letter for letter in ascii_uppercase if letter not in lexicon]:
        raise _unlike(root / LEXICONS[-1], f"it lacks the letters {missing}")
    return lexicon


def _json(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise _unlike(path, "it is no JSON") from error
    if not isinstance(found, dict):
        raise _unlike(path, "it is no object of JSON")
    return found


def _unlike(path: Path, why: str) -> StageError:
    return model_corrupt(f"{path} is not of Kokoro: {why}; fetch it again.")
