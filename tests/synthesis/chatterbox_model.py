"""Tiny networks with the inputs and outputs of Chatterbox Turbo, in a folder as its own.

The language model counts in its cache: it says ten codes for each token of the text, and stops.
"""

from __future__ import annotations

import json
import wave
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from maie_core.models import MANIFEST, file_sha256
from maie_synthesis.engines.chatterbox.files import (
    GRAPHS,
    RATE,
    SUFFIXES,
    TOKENIZER,
    Precision,
    files,
)
from maie_synthesis.engines.chatterbox.model import STOP

WIDTH = 4
CODES_PER_TOKEN = 10
SAMPLES_PER_CODE = RATE // 25
PROMPT_CODES = 6
# The first code, from which the tiny model counts on.
FIRST_CODE = 3000
_TEXT_TOKENS = 1000
_TYPES = {"fp32": TensorProto.FLOAT, "fp16": TensorProto.FLOAT16}
_FLOAT, _INT = TensorProto.FLOAT, TensorProto.INT64
_value, _node = helper.make_tensor_value_info, helper.make_node


def write_model(folder: Path, precision: Precision = "fp32", *, ends: bool = True) -> Path:
    """Writes the folder.

    Args:
        folder: Where.
        precision: Which files; "fp16" has a cache and inputs of that type.
        ends: Whether the language model ever stops.
    """
    (folder / "onnx").mkdir(parents=True, exist_ok=True)
    kind = _TYPES.get(precision, _FLOAT)
    for name, graph in zip(
        GRAPHS, (_encoder(), _embedder(), _language(kind, ends=ends), _decoder()), strict=True
    ):
        save(folder, name, graph, precision)
    write_tokenizer(folder / TOKENIZER)
    return trust(folder, precision)


def save(folder: Path, name: str, graph: onnx.GraphProto, precision: Precision = "fp32") -> None:
    """Writes a network, its weights in a file of their own."""
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    path = folder / "onnx" / f"{name}{SUFFIXES[precision]}.onnx"
    data = path.with_name(f"{path.name}_data")
    # ONNX adds to what is there.
    data.unlink(missing_ok=True)
    onnx.save(model, str(path), save_as_external_data=True, location=data.name, size_threshold=128)
    data.touch()


def write_tokenizer(path: Path) -> None:
    """Writes a tokenizer with a token for each word and each mark."""
    from tokenizers import Tokenizer, models, pre_tokenizers

    tokenizer = Tokenizer(models.WordLevel({"?": 0, ".": 1, ",": 2}, unk_token="?"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.save(str(path))


def trust(folder: Path, precision: Precision = "fp32") -> Path:
    """Writes the manifest anew, as who trusts the files does."""
    hashes = {name: file_sha256(folder / name) for name in files(precision, GRAPHS)}
    text = json.dumps({"model": "tiny-chatterbox", "files": hashes})
    (folder / MANIFEST).write_text(text, encoding="utf-8")
    return folder


def write_voice(
    path: Path, *, level: float = 0.3, seconds: float = 6.0, rate: int = RATE, channels: int = 1
) -> Path:
    """Writes a reference recording: a tone."""
    path.parent.mkdir(parents=True, exist_ok=True)
    time = np.arange(round(seconds * rate)) / rate
    tone = (level * 32767 * np.sin(2 * np.pi * 200 * time)).astype("<i2")
    with wave.open(str(path), "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(np.repeat(tone, channels).tobytes())
    return path


def write_voices(folder: Path) -> Path:
    """Writes the recordings of two people."""
    write_voice(folder / "ann.wav", level=0.2)
    write_voice(folder / "bob.wav", level=0.6)
    return folder


def _constant(name: str, values: Any, kind: Any = np.float32) -> onnx.TensorProto:
    return numpy_helper.from_array(np.asarray(values, kind), name)


def _encoder() -> onnx.GraphProto:
    """A voice is how loud its recording is."""
    return helper.make_graph(
        [
            _node("Abs", ["audio_values"], ["loud"]),
            _node("ReduceMean", ["loud"], ["mean"], axes=[1], keepdims=1),
            _node("Reshape", ["mean", "three"], ["cube"]),
            _node("Mul", ["cube", "no_count"], ["prompt"]),
            _node("Identity", ["codes"], ["prompt_codes"]),
            _node("Mul", ["mean", "ones"], ["speaker"]),
            _node("Mul", ["cube", "frames"], ["features"]),
        ],
        "speech_encoder",
        [_value("audio_values", _FLOAT, [1, "samples"])],
        [
            _value("prompt", _FLOAT, [1, "steps", WIDTH]),
            _value("prompt_codes", _INT, [1, "codes"]),
            _value("speaker", _FLOAT, [1, 8]),
            _value("features", _FLOAT, [1, "frames", 80]),
        ],
        [
            _constant("three", [1, 1, 1], np.int64),
            _constant("no_count", np.array([[[0, 0, 1, 0]] * 3])),
            _constant("codes", [[7] * PROMPT_CODES], np.int64),
            _constant("ones", np.ones((1, 8))),
            _constant("frames", np.ones((1, 2 * PROMPT_CODES, 80))),
        ],
    )


def _embedder() -> onnx.GraphProto:
    """The first number marks a token of the text, the second one a code."""
    table = np.zeros((STOP + 1, WIDTH), np.float32)
    table[:_TEXT_TOKENS, 0] = 1
    table[_TEXT_TOKENS:, 1] = 1
    return helper.make_graph(
        [_node("Gather", ["table", "input_ids"], ["embeds"])],
        "embed_tokens",
        [_value("input_ids", _INT, [1, "tokens"])],
        [_value("embeds", _FLOAT, [1, "tokens", WIDTH])],
        [_constant("table", table)],
    )


def _language(kind: int, *, ends: bool) -> onnx.GraphProto:
    """The next code is the first one and as many as were said; after enough of them, the end."""
    per_token = CODES_PER_TOKEN if ends else 10_000
    return helper.make_graph(
        [
            # The cache is all inputs so far, of shape (1, 1, steps, width).
            _node("Unsqueeze", ["inputs_embeds", "one"], ["new"]),
            _node("Concat", ["past_key_values.0.key", "new"], ["present.0.key"], axis=2),
            _node("Concat", ["past_key_values.0.value", "new"], ["present.0.value"], axis=2),
            # Where steps are missing or doubled, places and the mask are others.
            _node("ReduceSum", ["attention_mask"], ["masked"], keepdims=0),
            _node("ReduceMax", ["position_ids"], ["place"], keepdims=0),
            _node("Sub", ["masked", "place"], ["whole"]),
            _node("Cast", ["whole"], ["right"], to=_FLOAT),
            _node("Cast", ["present.0.key"], ["seen"], to=_FLOAT),
            _node("ReduceSum", ["seen", "steps_axis"], ["sums"], keepdims=0),
            _node("Reshape", ["sums", "flat"], ["counts"]),
            _node("Gather", ["counts", "at_text"], ["text"]),
            _node("Gather", ["counts", "at_codes"], ["codes"]),
            _node("Mul", ["text", "per_token"], ["enough"]),
            _node("GreaterOrEqual", ["codes", "enough"], ["done"]),
            _node("Add", ["codes", "first"], ["following"]),
            _node("Mul", ["following", "right"], ["checked"]),
            _node("Where", ["done", "stop", "checked"], ["next"]),
            _node("Cast", ["next"], ["index"], to=_INT),
            _node("Reshape", ["index", "one_step"], ["indices"]),
            _node("OneHot", ["indices", "depth", "scores"], ["hot"]),
            _node("Cast", ["hot"], ["logits"], to=kind),
        ],
        "language_model",
        [
            _value("inputs_embeds", kind, [1, "steps", WIDTH]),
            _value("attention_mask", _INT, [1, "all"]),
            _value("position_ids", _INT, [1, "steps"]),
            _value("past_key_values.0.key", kind, [1, 1, "past", WIDTH]),
            _value("past_key_values.0.value", kind, [1, 1, "past", WIDTH]),
        ],
        [
            _value("logits", kind, [1, 1, STOP + 1]),
            _value("present.0.key", kind, [1, 1, "all", WIDTH]),
            _value("present.0.value", kind, [1, 1, "all", WIDTH]),
        ],
        [
            _constant("one", [1], np.int64),
            _constant("steps_axis", [0, 1, 2], np.int64),
            _constant("flat", [WIDTH], np.int64),
            _constant("at_text", 0, np.int64),
            _constant("at_codes", 1, np.int64),
            _constant("per_token", per_token),
            _constant("first", FIRST_CODE),
            _constant("stop", STOP),
            _constant("depth", STOP + 1, np.int64),
            _constant("scores", [0, 10]),
            _constant("one_step", [1, 1], np.int64),
        ],
    )


def _decoder() -> onnx.GraphProto:
    """A tone, whose pitch is the voice, for the codes after those of the recording."""
    return helper.make_graph(
        [
            _node("Size", ["speech_tokens"], ["count"]),
            _node("Shape", ["speaker_features"], ["frames"], start=1, end=2),
            _node("Squeeze", ["frames"], ["frame"]),
            _node("Div", ["frame", "two"], ["prompt"]),
            _node("Sub", ["count", "prompt"], ["said"]),
            _node("Mul", ["said", "per_code"], ["length"]),
            _node("Cast", ["length"], ["number"], to=_FLOAT),
            _node("Range", ["zero", "number", "unit"], ["places"]),
            _node("ReduceMean", ["speaker_embeddings"], ["step"], keepdims=0),
            _node("Mul", ["places", "step"], ["phase"]),
            _node("Sin", ["phase"], ["tone"]),
            _node("Mul", ["tone", "half"], ["soft"]),
            _node("Unsqueeze", ["soft", "axis"], ["wave"]),
        ],
        "conditional_decoder",
        [
            _value("speech_tokens", _INT, [1, "codes"]),
            _value("speaker_embeddings", _FLOAT, [1, 8]),
            _value("speaker_features", _FLOAT, [1, "frames", 80]),
        ],
        [_value("wave", _FLOAT, [1, "samples"])],
        [
            _constant("two", 2, np.int64),
            _constant("per_code", SAMPLES_PER_CODE, np.int64),
            _constant("zero", 0),
            _constant("unit", 1),
            _constant("half", 0.5),
            _constant("axis", [0], np.int64),
        ],
    )


def other_graph(name: str) -> onnx.GraphProto:
    """A network that takes and gives something else."""
    return helper.make_graph(
        [_node("Identity", ["sound"], ["echo"])],
        name,
        [_value("sound", _FLOAT, [1, "n"])],
        [_value("echo", _FLOAT, [1, "n"])],
    )


def give_besides(path: Path) -> None:
    """Has a network give its first output once more, as another one."""
    network = onnx.load(str(path), load_external_data=False)
    first = network.graph.output[0]
    network.graph.node.append(_node("Identity", [first.name], ["besides"]))
    network.graph.output.append(_value("besides", first.type.tensor_type.elem_type, None))
    path.write_bytes(network.SerializeToString())
