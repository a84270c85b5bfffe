"""Tiny CTC models: what is said in each frame, or a blank."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from tests.models.sherpa.graphs import FLOAT, INT32, INT64, Graph, Weights
from tests.models.sherpa.vocabulary import BINS, PIECES, UNKNOWN, write_tokens

# Frames of 10 ms that become one.
NEMO_STRIDE, ZIPFORMER_STRIDE = 8, 4
BLANK_BIAS, UNKNOWN_BIAS = 3.0, -100.0
# SenseVoice joins frames into wide ones, and answers four tokens before the text.
WINDOW, SHIFT = 7, 6
LANGUAGES = {"auto": 0, "zh": 3, "en": 4, "yue": 7, "ja": 11, "ko": 12}
NORMS = {"withitn": 14, "woitn": 15}
EMBEDDINGS = 16
TAGS = ("<|zh|>", "<|en|>", "<|yue|>", "<|ja|>", "<|ko|>", "<|NEUTRAL|>", "<|Speech|>")
NORM_TAGS = ("<|withitn|>", "<|woitn|>")
# The language that it hears in everything, where it is given none.
HEARD = "<|ko|>"
CERTAIN = 50.0


def write_nemo_ctc(folder: Path) -> None:
    """As NeMo exports Parakeet CTC."""
    weights, tokens = Weights(), len(PIECES) + 1
    folder.mkdir(parents=True)
    graph = Graph(("audio_signal", FLOAT, ["B", BINS, "T"]), ("length", INT64, ["B"]))
    # The length has to be an input, and CTC needs it for nothing.
    graph.node("Identity", "length", name="ignored")
    shape = [NEMO_STRIDE]
    pooled = graph.node("AveragePool", "audio_signal", kernel_shape=shape, strides=shape)
    frames = graph.node("Transpose", pooled, perm=[0, 2, 1])
    _answer(graph, weights, frames, "logprobs", blank=tokens - 1, unknown=UNKNOWN, tokens=tokens)
    graph.save(
        folder / "model.int8.onnx",
        [("logprobs", FLOAT, ["B", "S", tokens]), ("ignored", INT64, ["B"])],
        {
            "model_type": "EncDecCTCModelBPE",
            "normalize_type": "per_feature",
            "vocab_size": tokens,
            "subsampling_factor": NEMO_STRIDE,
        },
    )
    write_tokens(folder, blank_last=True)


def write_zipformer_ctc(folder: Path) -> None:
    """As icefall exports a Zipformer with CTC."""
    weights, tokens = Weights(), len(PIECES) + 1
    folder.mkdir(parents=True)
    graph = Graph(("x", FLOAT, ["N", "T", BINS]), ("x_lens", INT64, ["N"]))
    across = graph.node("Transpose", "x", perm=[0, 2, 1])
    shape = [ZIPFORMER_STRIDE]
    pooled = graph.node("AveragePool", across, kernel_shape=shape, strides=shape)
    level = graph.node("ReduceMean", pooled, axes=[1], keepdims=1)
    frames = graph.node("Transpose", graph.node("Sub", pooled, level), perm=[0, 2, 1])
    _answer(graph, weights, frames, "log_probs", blank=0, unknown=UNKNOWN + 1, tokens=tokens)
    graph.node("Div", "x_lens", graph.weight([ZIPFORMER_STRIDE]), name="log_probs_lens")
    graph.save(
        folder / "model.int8.onnx",
        [("log_probs", FLOAT, ["N", "S", tokens]), ("log_probs_lens", INT64, ["N"])],
        {"model_type": "zipformer2_ctc"},
    )
    write_tokens(folder, blank_last=False)


def write_sense_voice(folder: Path) -> None:
    """As SenseVoice is exported: the language is an input, and the first token of its answer."""
    weights = Weights()
    names = (*PIECES, *TAGS, *NORM_TAGS)
    folder.mkdir(parents=True)
    graph = Graph(
        ("x", FLOAT, ["N", "T", BINS * WINDOW]),
        ("x_length", INT32, ["N"]),
        ("language", INT32, ["N"]),
        ("text_norm", INT32, ["N"]),
    )
    graph.node("Identity", "x_length", name="ignored")
    spoken = {code: f"<|{code}|>" for code in LANGUAGES} | {"auto": HEARD}
    table = _table({LANGUAGES[code]: spoken[code] for code in LANGUAGES}, names)
    norms = _table({number: f"<|{name}|>" for name, number in NORMS.items()}, names)
    first = graph.node("Gather", graph.weight(table), "language")
    last = graph.node("Gather", graph.weight(norms), "text_norm")
    middle = _table({0: "<|NEUTRAL|>", 1: "<|Speech|>"}, names)[:2]
    answer = _answer(graph, weights, "x", "", blank=0, unknown=0, tokens=len(names), scale=0.05)
    before = [graph.node("Unsqueeze", each, graph.weight([1])) for each in (first, last)]
    fixed = graph.weight(middle[np.newaxis])
    graph.node("Concat", before[0], fixed, before[1], answer, name="logits", axis=1)
    graph.save(
        folder / "model.int8.onnx",
        [("logits", FLOAT, ["N", "S", len(names)]), ("ignored", INT32, ["N"])],
        {
            "model_type": "sense_voice_ctc",
            "vocab_size": len(names),
            "lfr_window_size": WINDOW,
            "lfr_window_shift": SHIFT,
            "normalize_samples": 0,
            "with_itn": NORMS["withitn"],
            "without_itn": NORMS["woitn"],
            **{f"lang_{code}": number for code, number in LANGUAGES.items()},
            "neg_mean": ",".join(["-12.0"] * BINS * WINDOW),
            "inv_stddev": ",".join(["0.3"] * BINS * WINDOW),
        },
    )
    lines = "".join(f"{name} {number}\n" for number, name in enumerate(names))
    (folder / "tokens.txt").write_text(lines, encoding="utf-8")


def _answer(
    graph: Graph,
    weights: Weights,
    frames: str,
    name: str,
    *,
    blank: int,
    unknown: int,
    tokens: int,
    scale: float = 0.3,
) -> str:
    """The logits of frames of shape (batch, time, bins): of pieces, not of signs."""
    width = BINS * WINDOW if frames == "x" else BINS
    bias = np.full(tokens, UNKNOWN_BIAS, np.float32)
    bias[: len(PIECES) + 1] = 0
    bias[unknown], bias[blank] = UNKNOWN_BIAS, BLANK_BIAS
    product = graph.node("MatMul", frames, graph.weight(weights.normal(width, tokens, scale=scale)))
    return graph.node("Add", product, graph.weight(bias), name=name)


def _table(answers: dict[int, str], names: tuple[str, ...]) -> Any:
    """Logits by which a number is answered with a sign for certain."""
    table = np.zeros((EMBEDDINGS, len(names)), np.float32)
    for number, name in answers.items():
        table[number, names.index(name)] = CERTAIN
    return table
