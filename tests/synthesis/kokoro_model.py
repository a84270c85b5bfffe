"""A tiny network with Kokoro's inputs and outputs, in a folder as Kokoro's."""

from __future__ import annotations

import json
from pathlib import Path
from string import ascii_lowercase, ascii_uppercase

import numpy as np
import onnx
from onnx import TensorProto, helper

from maie_core.models import MANIFEST, file_sha256
from maie_synthesis.engines.kokoro.model import FILES, MODEL, STYLE, VOCABULARY, VOICES

SAMPLES_PER_TOKEN = 1200
LEXICON = {
    **{letter: f"{letter.lower()}i" for letter in ascii_uppercase},
    "hello": "hˈəlO",
    "walk": "wˈɔk",
    "the": "ðə",
    "box": "bˈɑks",
    "office": "ˈɔfəs",
    "read": {"DEFAULT": "ɹˈid", "VBD": "ɹˈɛd"},
}
SIGNS = sorted({*ascii_lowercase, *" ,.?!ˈˌəOɔðɑɹɪᵻzAʊɐsk"})


def write_model(
    folder: Path, speed: str = "speed", voices: tuple[str, ...] = ("ann", "bob")
) -> Path:
    """Writes the folder: a tone for each voice, as long as the text and the pace say.

    Args:
        folder: Where.
        speed: The name of the network's input for the pace.
        voices: The names of the voices.
    """
    folder.mkdir(parents=True, exist_ok=True)
    onnx.save(_network(speed), str(folder / MODEL))
    styles = {
        name: np.full((510, 1, STYLE), 0.05 * (number + 1), np.float32)
        for number, name in enumerate(voices)
    }
    np.savez(folder / VOICES, **styles)  # type: ignore[arg-type]
    vocabulary = {sign: number for number, sign in enumerate(SIGNS, 1)}
    (folder / VOCABULARY).write_text(json.dumps({"vocab": vocabulary}), encoding="utf-8")
    (folder / "us_gold.json").write_text(json.dumps(LEXICON), encoding="utf-8")
    (folder / "us_silver.json").write_text("{}", encoding="utf-8")
    return trust(folder)


def trust(folder: Path) -> Path:
    """Writes the manifest anew, as who trusts the files does."""
    files = {name: file_sha256(folder / name) for name in FILES}
    text = json.dumps({"model": "tiny-kokoro", "files": files})
    (folder / MANIFEST).write_text(text, encoding="utf-8")
    return folder


def _network(speed: str) -> onnx.ModelProto:
    value, node = helper.make_tensor_value_info, helper.make_node

    def constant(name: str, number: float, kind: int = TensorProto.FLOAT) -> onnx.NodeProto:
        return node("Constant", [], [name], value=helper.make_tensor(name, kind, [], [number]))

    graph = helper.make_graph(
        [
            constant("per_token", SAMPLES_PER_TOKEN),
            constant("zero", 0.0),
            constant("one", 1.0),
            constant("half", 0.5),
            node("Size", ["tokens"], ["count"]),
            node("Cast", ["count"], ["number"], to=TensorProto.FLOAT),
            node("ReduceMean", [speed], ["pace"], keepdims=0),
            node("ReduceMean", ["style"], ["step"], keepdims=0),
            node("Mul", ["number", "per_token"], ["usual"]),
            node("Div", ["usual", "pace"], ["exact"]),
            node("Floor", ["exact"], ["length"]),
            node("Range", ["zero", "length", "one"], ["places"]),
            node("Mul", ["places", "step"], ["phase"]),
            node("Sin", ["phase"], ["wave"]),
            node("Mul", ["wave", "half"], ["audio"]),
        ],
        "tiny",
        [
            value("tokens", TensorProto.INT64, [1, "n"]),
            value("style", TensorProto.FLOAT, [1, STYLE]),
            value(speed, TensorProto.FLOAT, [1]),
        ],
        [value("audio", TensorProto.FLOAT, ["m"])],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
