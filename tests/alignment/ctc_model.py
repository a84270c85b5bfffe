"""A CTC model that hears letters as tones, so that what it says of audio is known.

A network of one convolution, as a real file of ONNX: each letter is a sine of its own, and what is
silent is blank.
"""

from __future__ import annotations

import json
from pathlib import Path
from string import ascii_lowercase
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from maie_alignment.engine import SAMPLE_RATE, Samples
from maie_core.models import MANIFEST, file_sha256

STEP, WINDOW = 320, 400
LETTER_SECONDS = 0.12
# Letters that the model has no column for are spoken, too.
LETTERS = ascii_lowercase
KNOWN = "".join(each for each in LETTERS if each not in "qxz")
BLANK = "<pad>"
GAP = "|"
TOKENS = (BLANK, GAP, *KNOWN.upper())


def frequency(letter: str) -> float:
    """The tone of a letter: a whole number of waves fits into a window."""
    return 400.0 + 80 * LETTERS.index(letter)


def spoken(text: str, pause: float = 0.3) -> Samples:
    """Words as tones, with silence around them."""
    parts = [np.zeros(round(pause * SAMPLE_RATE))]
    for word in text.split():
        for letter in word:
            time = np.arange(round(LETTER_SECONDS * SAMPLE_RATE)) / SAMPLE_RATE
            parts.append(0.3 * np.sin(2 * np.pi * frequency(letter) * time))
        parts.append(np.zeros(round(pause * SAMPLE_RATE)))
    return (np.concatenate(parts) * 32767).astype(np.int16)


def write_model(folder: Path, tokens: tuple[str, ...] = TOKENS) -> Path:
    """Writes the folder of a model, as transformers and its exporter would."""
    folder.mkdir(parents=True, exist_ok=True)
    onnx.save(network(), str(folder / "model.onnx"))
    vocabulary = {token: number for number, token in enumerate(tokens)}
    (folder / "vocab.json").write_text(json.dumps(vocabulary), encoding="utf-8")
    options = {"do_normalize": False, "sampling_rate": SAMPLE_RATE}
    (folder / "preprocessor_config.json").write_text(json.dumps(options), encoding="utf-8")
    return trust(folder)


def trust(folder: Path) -> Path:
    """Writes the manifest anew, as who trusts the files does."""
    files = {each.name: file_sha256(each) for each in folder.iterdir() if each.name != MANIFEST}
    text = json.dumps({"model": folder.name, "files": files})
    (folder / MANIFEST).write_text(text, encoding="utf-8")
    return folder


def network(*, name: str = "input_values") -> onnx.ModelProto:
    """The network: the power of each tone, by a logarithm that says what is loudest."""
    kinds = len(KNOWN)
    graph = helper.make_graph(
        [
            helper.make_node("Unsqueeze", [name, "one"], ["channel"]),
            helper.make_node("Conv", ["channel", "waves"], ["parts"], strides=[STEP]),
            helper.make_node("Mul", ["parts", "parts"], ["powers"]),
            helper.make_node("Split", ["powers", "halves"], ["sines", "cosines"], axis=1),
            helper.make_node("Add", ["sines", "cosines"], ["tones"]),
            helper.make_node("Mul", ["tones", "gain"], ["letters"]),
            # Silence, and the end of a word, are as loud as a faint tone.
            helper.make_node("ReduceMean", ["letters", "axes"], ["mean"], keepdims=1),
            helper.make_node("Mul", ["mean", "zero"], ["nothing"]),
            helper.make_node("Add", ["nothing", "floor"], ["blank"]),
            helper.make_node("Add", ["nothing", "end"], ["gap"]),
            helper.make_node("Concat", ["blank", "gap", "letters"], ["columns"], axis=1),
            helper.make_node("Transpose", ["columns"], ["logits"], perm=[0, 2, 1]),
        ],
        "tones",
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["batch", "samples"])],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["batch", "time", kinds + 2])],
        _constants(),
    )
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
    onnx.checker.check_model(made)
    return made


def _constants() -> list[onnx.TensorProto]:
    kinds = len(KNOWN)
    constants: dict[str, NDArray[Any]] = {
        "waves": _waves(),
        "one": np.array([1], np.int64),
        "axes": np.array([1], np.int64),
        "halves": np.array([kinds, kinds], np.int64),
        # A tone of 0.3 has a power of 0.09 / 4 in a window.
        "gain": np.array(12 / 0.0225, np.float32),
        "zero": np.array(0, np.float32),
        "floor": np.array(5, np.float32),
        "end": np.array(-5, np.float32),
    }
    return [numpy_helper.from_array(each, name) for name, each in constants.items()]


def _waves() -> NDArray[np.float32]:
    time = np.arange(WINDOW) / SAMPLE_RATE
    turns = 2 * np.pi * np.array([frequency(each) for each in KNOWN])[:, None] * time
    waves = np.concatenate([np.sin(turns), np.cos(turns)]) / WINDOW
    return waves[:, None].astype(np.float32)
