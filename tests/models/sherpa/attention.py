"""Tiny models with a decoder that writes token after token: Whisper and Canary."""

from __future__ import annotations

import base64
from pathlib import Path

import numpy as np

from tests.models.sherpa.graphs import FLOAT, INT32, INT64, Graph, Weights
from tests.models.sherpa.vocabulary import BINS, PIECES

SIZE = 16
# Frames of 10 ms that become one, and the frames by which the decoder goes on with each token.
STRIDE, PACE = 4, 4
NEVER, END_BIAS = -100.0, -1.0
WHISPER_SIGNS = (
    *("<eot>", "<sot>", "<en>", "<de>", "<translate>", "<transcribe>", "<nospeech>"),
    "<notimestamps>",
)
CANARY_SIGNS = (
    *("<|endoftext|>", "<|startofcontext|>", "<|startoftranscript|>", "<|emo:undefined|>"),
    *("<|en|>", "<|de|>", "<|es|>", "<|fr|>", "<|pnc|>", "<|nopnc|>", "<|noitn|>"),
    *("<|notimestamp|>", "<|nodiarize|>"),
)
CONTEXT = 448


def write_whisper(folder: Path) -> None:
    """As Whisper is exported, for English and German."""
    weights = Weights()
    folder.mkdir(parents=True)
    numbers = {name: len(PIECES) + number for number, name in enumerate(WHISPER_SIGNS)}
    tokens = len(PIECES) + len(WHISPER_SIGNS)
    cross = ["L", "N", "S", SIZE]
    graph = Graph(("mel", FLOAT, ["N", BINS, "T"]))
    pooled = graph.node("AveragePool", "mel", kernel_shape=[STRIDE], strides=[STRIDE])
    frames = graph.node("Transpose", pooled, perm=[0, 2, 1])
    encoded = graph.node("MatMul", frames, graph.weight(weights.normal(BINS, SIZE)))
    graph.node("Unsqueeze", encoded, graph.weight([0]), name="n_layer_cross_k")
    graph.node("Identity", "n_layer_cross_k", name="n_layer_cross_v")
    graph.save(
        folder / "tiny-encoder.int8.onnx",
        [("n_layer_cross_k", FLOAT, cross), ("n_layer_cross_v", FLOAT, cross)],
        {
            "model_type": "whisper-tiny",
            "n_mels": BINS,
            "n_text_layer": 1,
            "n_text_ctx": CONTEXT,
            "n_text_state": SIZE,
            "n_vocab": tokens,
            "sot": numbers["<sot>"],
            "eot": numbers["<eot>"],
            "blank_id": 0,
            "translate": numbers["<translate>"],
            "transcribe": numbers["<transcribe>"],
            "is_multilingual": 1,
            "no_timestamps": numbers["<notimestamps>"],
            "no_speech": numbers["<nospeech>"],
            "sot_sequence": ",".join(
                str(numbers[each]) for each in ("<sot>", "<en>", "<transcribe>")
            ),
            "all_language_tokens": f"{numbers['<en>']},{numbers['<de>']}",
            "all_language_codes": "en,de",
        },
    )
    _write_whisper_decoder(folder, weights, tokens)
    pieces = (piece.replace("\u2581", " ") for piece in PIECES)
    written = (base64.b64encode(piece.encode()).decode() for piece in pieces)
    lines = "".join(f"{piece} {number}\n" for number, piece in enumerate(written))
    (folder / "tiny-tokens.txt").write_text(lines)


def write_canary(folder: Path) -> None:
    """As NeMo exports Canary."""
    weights = Weights()
    folder.mkdir(parents=True)
    names = (*PIECES, *CANARY_SIGNS)
    graph = Graph(("audio_signal", FLOAT, ["B", "T", BINS]), ("length", INT64, ["B"]))
    across = graph.node("Transpose", "audio_signal", perm=[0, 2, 1])
    pooled = graph.node("AveragePool", across, kernel_shape=[STRIDE], strides=[STRIDE])
    frames = graph.node("Transpose", pooled, perm=[0, 2, 1])
    graph.node("MatMul", frames, graph.weight(weights.normal(BINS, SIZE)), name="enc_states")
    graph.node("Div", "length", graph.weight([STRIDE]), name="enc_lengths")
    ones = graph.node("ReduceMax", "enc_states", axes=[2], keepdims=0)
    graph.node("Cast", ones, name="enc_mask", to=INT64)
    graph.save(
        folder / "encoder.int8.onnx",
        [
            ("enc_states", FLOAT, ["B", "S", SIZE]),
            ("enc_lengths", INT64, ["B"]),
            ("enc_mask", INT64, ["B", "S"]),
        ],
        {
            "model_type": "EncDecMultiTaskModel",
            "vocab_size": len(names),
            "normalize_type": "per_feature",
            "subsampling_factor": STRIDE,
            "feat_dim": BINS,
            "num_decoder_layers": 1,
            "decoder_hidden_size": SIZE,
        },
    )
    _write_canary_decoder(folder, weights, len(names))
    lines = "".join(f"{name} {number}\n" for number, name in enumerate(names))
    (folder / "tokens.txt").write_text(lines, encoding="utf-8")


def _write_whisper_decoder(folder: Path, weights: Weights, tokens: int) -> None:
    cache, cross = ["L", "N", CONTEXT, SIZE], ["L", "N", "S", SIZE]
    graph = Graph(
        ("tokens", INT64, ["N", "n"]),
        ("in_k", FLOAT, cache),
        ("in_v", FLOAT, cache),
        ("cross_k", FLOAT, cross),
        ("cross_v", FLOAT, cross),
        ("offset", INT64, [1]),
    )
    # The sum of the tokens so far, so that language and task matter for all that follow.
    embedded = graph.node("Gather", graph.weight(weights.normal(tokens, SIZE)), "tokens")
    new = graph.node("ReduceSum", embedded, graph.weight([1]), keepdims=1)
    wide = graph.node("Unsqueeze", new, graph.weight([0]))
    graph.node("Add", "in_k", wide, name="out_k")
    places = [graph.weight([each]) for each in (0, 1, 2)]
    summed = graph.node("Slice", "out_k", places[0], places[1], places[2])
    frame = _frame(graph, "cross_k", "offset", axis=2)
    both = graph.node("Tanh", graph.node("Add", graph.node("Mul", summed, _scale(graph)), frame))
    hidden = graph.node("Reshape", both, graph.weight([1, 1, SIZE]))
    last = graph.node("Add", hidden, graph.node("Mul", embedded, _scale(graph)))
    _write_logits(graph, weights, last, tokens, end=len(PIECES))
    graph.node("Identity", "in_v", name="out_v")
    graph.save(
        folder / "tiny-decoder.int8.onnx",
        [("logits", FLOAT, ["N", "n", tokens]), ("out_k", FLOAT, cache), ("out_v", FLOAT, cache)],
        {},
    )


def _write_canary_decoder(folder: Path, weights: Weights, tokens: int) -> None:
    graph = Graph(
        ("decoder_input", INT32, [1, 2]),
        ("state", FLOAT, [1, "t", SIZE]),
        ("enc_states", FLOAT, [1, "S", SIZE]),
        ("enc_mask", INT64, [1, "S"]),
    )
    graph.node("Identity", "enc_mask", name="ignored")
    wide = graph.node("Cast", "decoder_input", to=INT64)
    token, place = (graph.node("Gather", wide, graph.weight([each]), axis=1) for each in (0, 1))
    embedded = graph.node("Gather", graph.weight(weights.normal(tokens, SIZE)), token)
    flat = graph.node("Reshape", embedded, graph.weight([1, 1, SIZE]))
    graph.node("Concat", "state", flat, name="next_state", axis=1)
    # The sum of the tokens so far, so that languages matter for all that follow.
    summed = graph.node("ReduceSum", "next_state", graph.weight([1]), keepdims=1)
    before = graph.node("Mul", summed, _scale(graph))
    frame = _frame(graph, "enc_states", graph.node("Reshape", place, graph.weight([1])), axis=1)
    both = graph.node("Tanh", graph.node("Add", graph.node("Add", before, flat), frame))
    _write_logits(graph, weights, both, tokens, end=len(PIECES))
    graph.save(
        folder / "decoder.int8.onnx",
        [("logits", FLOAT, [1, 1, tokens]), ("next_state", FLOAT, [1, "u", SIZE])],
        {},
    )


def _frame(graph: Graph, frames: str, place: str, axis: int) -> str:
    """The frame that belongs to the token at a place; the last one where there is none."""
    count = graph.node("Gather", graph.node("Shape", frames), graph.weight([axis]))
    last = graph.node("Sub", count, graph.weight([1]))
    wanted = graph.node("Mul", place, graph.weight([PACE]))
    return graph.node("Gather", frames, graph.node("Min", wanted, last), axis=axis)


def _scale(graph: Graph) -> str:
    return graph.weight(np.full(1, 0.3, np.float32))


def _write_logits(graph: Graph, weights: Weights, hidden: str, tokens: int, end: int) -> None:
    """The logits of pieces and of the end, not of other signs; languages keep their order."""
    bias = np.full(tokens, NEVER, np.float32)
    bias[1 : len(PIECES)], bias[end] = 0, END_BIAS
    product = graph.node("MatMul", hidden, graph.weight(weights.normal(SIZE, tokens)))
    graph.node("Add", product, graph.weight(bias), name="logits")
