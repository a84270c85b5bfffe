"""Chatterbox Turbo's files, read strictly: what is not as it must be is an error."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

import onnxruntime as ort

from maie_core.errors import StageError
from maie_core.models import model_corrupt, model_missing, verified_sha256
from maie_runtime.worker import engines
from maie_synthesis.engines.onnx import open_network

if TYPE_CHECKING:
    from tokenizers import Tokenizer

NAME: Final = "chatterbox-turbo-ONNX"
RATE: Final = 24_000
DEVICE: Final = "MAIE_SYNTHESIS_CHATTERBOX_DEVICE"
TOKENIZER: Final = "tokenizer.json"
GRAPHS: Final = ("speech_encoder", "embed_tokens", "language_model", "conditional_decoder")
Precision = Literal["fp32", "fp16", "q8", "q4", "q4f16"]
# How the authors' folder names the files of a precision.
SUFFIXES: Final[Mapping[Precision, str]] = {
    "fp32": "",
    "fp16": "_fp16",
    "q8": "_quantized",
    "q4": "_q4",
    "q4f16": "_q4f16",
}
PAST: Final = "past_key_values."
PACKAGE: Final = "tokenizers"
_FLOATS: Final = ("tensor(float)", "tensor(float16)")
_WHOLE: Final = ("tensor(int64)",)
# What each network takes by name, and gives in order; the language model has a cache besides.
_INPUTS: Final[Mapping[str, Mapping[str, tuple[str, ...]]]] = {
    "speech_encoder": {"audio_values": _FLOATS},
    "embed_tokens": {"input_ids": _WHOLE},
    "language_model": {
        "inputs_embeds": _FLOATS,
        "attention_mask": _WHOLE,
        "position_ids": _WHOLE,
    },
    "conditional_decoder": {
        "speech_tokens": _WHOLE,
        "speaker_embeddings": _FLOATS,
        "speaker_features": _FLOATS,
    },
}
_OUTPUTS: Final[Mapping[str, tuple[tuple[str, ...], ...]]] = {
    "speech_encoder": (_FLOATS, _WHOLE, _FLOATS, _FLOATS),
    "embed_tokens": (_FLOATS,),
    "language_model": (_FLOATS,),
    "conditional_decoder": (_FLOATS,),
}


@dataclass(kw_only=True, frozen=True, slots=True)
class Folder:
    """A verified folder.

    Attributes:
        root: The folder, as the authors publish it.
        precision: Which of its weights are used.
        sha256: The digest of the files that are used.
    """

    root: Path
    precision: Precision
    sha256: str

    @property
    def weight_bytes(self) -> int:
        """The size of the networks that stay in memory."""
        names = files(self.precision, GRAPHS[1:])[1:]
        return sum((self.root / name).stat().st_size for name in names)

    def open(
        self, graph: str, threads: int, device: Literal["cpu", "cuda"]
    ) -> ort.InferenceSession:
        """Loads one of `GRAPHS`. Blocks.

        Args:
            graph: Its name.
            threads: How many it runs in on a CPU.
            device: Where it runs.

        Raises:
            StageError: FAILED_PRECONDITION with MODEL_CORRUPT or DEVICE_UNAVAILABLE.
        """
        path = self.root / _graph_file(graph, self.precision)
        try:
            session = open_network(path, threads, device, DEVICE)
        except ValueError as error:
            raise unlike(path, str(error)) from error
        _check(path, graph, session)
        return session

    def tokenizer(self) -> Tokenizer:
        """Reads the tokenizer, which is checked to know words.

        Raises:
            StageError: FAILED_PRECONDITION with MODEL_CORRUPT.
        """
        from tokenizers import Tokenizer

        path = self.root / TOKENIZER
        try:
            found = Tokenizer.from_file(str(path))
            ids = found.encode("A word.").ids
        # The tokenizers library raises a bare Exception.
        except Exception as error:
            raise unlike(path, "it is no tokenizer") from error
        if len(ids) < 2:
            raise unlike(path, "it has no tokens for words")
        return found


def open_folder(root: Path, precision: Precision, sha256: str) -> Folder:
    """Verifies a folder's files. Blocks.

    Args:
        root: The folder.
        precision: Which of its weights are used.
        sha256: The digest that the files must have; empty: the manifest says it.

    Raises:
        StageError: FAILED_PRECONDITION with ENGINE_NOT_INSTALLED, MODEL_MISSING or MODEL_CORRUPT.
    """
    require_package()
    names = files(precision, GRAPHS)
    if missing := [name for name in names if not (root / name).is_file()]:
        raise model_missing(
            f"The model of the engine chatterbox lacks {', '.join(missing)} in {root}; fetch it as "
            "docs/speech.md describes, and set MAIE_SYNTHESIS_CHATTERBOX_MODEL_PATH."
        )
    digest = verified_sha256(root, names, sha256)
    return Folder(root=root, precision=precision, sha256=digest)


def files(precision: Precision, graphs: tuple[str, ...]) -> tuple[str, ...]:
    """The files of some networks and the tokenizer, within the folder."""
    paths = [_graph_file(graph, precision) for graph in graphs]
    return (TOKENIZER, *paths, *(f"{path}_data" for path in paths))


def require_package() -> None:
    """Checks that the tokenizer's library is installed, which is an extra of the service.

    Raises:
        StageError: FAILED_PRECONDITION with ENGINE_NOT_INSTALLED.
    """
    remedy = "install maie-synthesis[chatterbox] (see docs/speech.md)"
    engines.require_package(PACKAGE, by="The engine chatterbox", remedy=remedy)


def unlike(path: Path, why: str) -> StageError:
    """The error for a file that is not what it must be."""
    return model_corrupt(f"{path} is not of Chatterbox Turbo: {why}; fetch it again.")


def _graph_file(graph: str, precision: Precision) -> str:
    return f"onnx/{graph}{SUFFIXES[precision]}.onnx"


def _check(path: Path, graph: str, session: ort.InferenceSession) -> None:
    """Refuses a network that takes or gives something else."""
    taken = {each.name: each.type for each in session.get_inputs()}
    given = [each.type for each in session.get_outputs()]
    own = {name: kind for name, kind in taken.items() if not name.startswith(PAST)}
    cached = len(taken) - len(own)
    wanted = _INPUTS[graph]
    if own.keys() != wanted.keys() or any(own[name] not in wanted[name] for name in own):
        raise unlike(path, f"it takes {own}, not {sorted(wanted)}")
    outputs = _OUTPUTS[graph]
    # What it gives besides is of no use here, but behind a cache there is nothing.
    enough = len(given) == len(outputs) + cached if cached else len(given) >= len(outputs)
    if not enough or any(kind not in kinds for kind, kinds in zip(given, outputs, strict=False)):
        raise unlike(path, f"it gives {given}, which are not {len(outputs) + cached} of its kinds")
    if graph == "language_model":
        _check_cache(path, session)


def _check_cache(path: Path, session: ort.InferenceSession) -> None:
    """Refuses a cache whose outputs are not its inputs in the same order and of the same shape."""
    past = [each for each in session.get_inputs() if each.name.startswith(PAST)]
    present = session.get_outputs()[1:]
    if not past:
        raise unlike(path, "it has no cache")
    for before, after in zip(past, present, strict=True):
        entry = before.name.removeprefix(PAST)
        heads, size = before.shape[1:4:2] if len(before.shape) == 4 else (None, None)
        if not isinstance(heads, int) or not isinstance(size, int):
            raise unlike(path, f"the shape of its {before.name} is {before.shape}")
        if not after.name.endswith(f".{entry}") or after.type != before.type:
            raise unlike(path, f"its {before.name} is followed by {after.name}, {after.type}")
