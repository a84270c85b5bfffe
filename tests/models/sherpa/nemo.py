"""Tiny transducers with a recurrent decoder, as NeMo exports Parakeet and Nemotron."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from tests.models.sherpa.graphs import FLOAT, INT32, INT64, Graph, Weights
from tests.models.sherpa.vocabulary import BINS, PIECES, UNKNOWN, write_bpe_vocab, write_tokens

SIZE = 16
# Frames of 10 ms that become one.
STRIDE = 8
# The blank is a token, too, and the last.
TOKENS = len(PIECES) + 1
# A TDT model also says how many frames to go on, 0 to 4.
DURATIONS = 5
# So that not every frame has a token, and none the unknown one.
BLANK_BIAS, STREAMING_BLANK_BIAS, UNKNOWN_BIAS = 3.0, 9.5, -100.0
# Of a streaming model: the frames of one step, and those of them that are new.
WINDOW, SHIFT = 65, 56


def write_nemo(folder: Path) -> None:
    """A transducer with durations, as Parakeet TDT."""
    weights = Weights()
    folder.mkdir(parents=True)
    graph = Graph(("audio_signal", FLOAT, ["B", BINS, "T"]), ("length", INT64, ["B"]))
    pooled = graph.node("AveragePool", "audio_signal", kernel_shape=[STRIDE], strides=[STRIDE])
    graph.node("MatMul", graph.weight(weights.normal(SIZE, BINS)), pooled, name="outputs")
    graph.node("Div", "length", graph.weight([STRIDE]), name="encoded_lengths")
    graph.save(
        folder / "encoder.int8.onnx",
        [("outputs", FLOAT, ["B", SIZE, "S"]), ("encoded_lengths", INT64, ["B"])],
        {
            "model_type": "EncDecRNNTBPEModel",
            "normalize_type": "per_feature",
            "url": "parakeet-tdt",
            "feat_dim": BINS,
            **_metadata(),
        },
    )
    _write_decoder(folder, weights)
    _write_joiner(folder, weights, TOKENS + DURATIONS, BLANK_BIAS)
    write_tokens(folder, blank_last=True)
    write_bpe_vocab(folder)


def write_nemo_streaming(folder: Path) -> None:
    """A transducer that keeps a cache, as Nemotron streaming and Parakeet realtime."""
    weights = Weights()
    folder.mkdir(parents=True)
    channels: list[Any] = ["B", 1, 1, SIZE]
    times: list[Any] = ["B", 1, SIZE, 1]
    graph = Graph(
        ("audio_signal", FLOAT, ["B", BINS, "T"]),
        ("length", INT64, ["B"]),
        ("cache_last_channel", FLOAT, channels),
        ("cache_last_time", FLOAT, times),
        ("cache_last_channel_len", INT64, ["B"]),
    )
    _encode_new_frames(graph, weights)
    graph.node("Div", "length", graph.weight([STRIDE]), name="encoded_lengths")
    graph.node("Identity", "cache_last_channel", name="cache_last_channel_next")
    graph.node("Add", "cache_last_channel_len", graph.weight([1]), name="cache_len_next")
    graph.save(
        folder / "encoder.int8.onnx",
        [
            ("outputs", FLOAT, ["B", SIZE, "S"]),
            ("encoded_lengths", INT64, ["B"]),
            ("cache_last_channel_next", FLOAT, channels),
            ("cache_last_time_next", FLOAT, times),
            ("cache_len_next", INT64, ["B"]),
        ],
        {
            "model_type": "EncDecHybridRNNTCTCBPEModel",
            "normalize_type": "",
            "window_size": WINDOW,
            "chunk_shift": SHIFT,
            **{f"cache_last_channel_dim{n}": size for n, size in enumerate((1, 1, SIZE), 1)},
            **{f"cache_last_time_dim{n}": size for n, size in enumerate((1, SIZE, 1), 1)},
            **_metadata(),
        },
    )
    _write_decoder(folder, weights)
    _write_joiner(folder, weights, TOKENS, STREAMING_BLANK_BIAS)
    write_tokens(folder, blank_last=True)


def _encode_new_frames(graph: Graph, weights: Weights) -> None:
    """Adds to the frames what the cache keeps of those before them."""
    places = (graph.weight([each]) for each in (WINDOW - SHIFT, WINDOW, 2))
    new = graph.node("Slice", "audio_signal", *places)
    pooled = graph.node("AveragePool", new, kernel_shape=[STRIDE], strides=[STRIDE])
    level = graph.node("ReduceMean", pooled, axes=[1], keepdims=1)
    shape = graph.node("Sub", pooled, level)
    encoded = graph.node("MatMul", graph.weight(weights.normal(SIZE, BINS, scale=0.3)), shape)
    before = graph.node("Reshape", "cache_last_time", graph.weight([0, SIZE, 1]))
    graph.node("Add", encoded, before, name="outputs")
    mean = graph.node("Tanh", graph.node("ReduceMean", "outputs", axes=[2], keepdims=1))
    graph.node("Reshape", mean, graph.weight([0, 1, SIZE, 1]), name="cache_last_time_next")


def _metadata() -> dict[str, Any]:
    return {
        "vocab_size": len(PIECES),
        "subsampling_factor": STRIDE,
        "pred_rnn_layers": 1,
        "pred_hidden": SIZE,
    }


def _write_decoder(folder: Path, weights: Weights) -> None:
    state = ["L", "B", SIZE]
    graph = Graph(
        ("targets", INT32, ["B", 1]),
        ("target_length", INT32, ["B"]),
        ("states.1", FLOAT, state),
        ("states.2", FLOAT, state),
    )
    embedded = graph.node("Gather", graph.weight(weights.normal(TOKENS, SIZE)), "targets")
    before = graph.node("Transpose", "states.1", perm=[1, 0, 2])
    mixed = graph.node("Tanh", graph.node("Add", embedded, before))
    graph.node("Transpose", mixed, perm=[0, 2, 1], name="outputs")
    graph.node("Identity", "target_length", name="prednet_lengths")
    graph.node("Transpose", mixed, perm=[1, 0, 2], name="next.1")
    graph.node("Identity", "states.2", name="next.2")
    graph.save(
        folder / "decoder.int8.onnx",
        [
            ("outputs", FLOAT, ["B", SIZE, 1]),
            ("prednet_lengths", INT32, ["B"]),
            ("next.1", FLOAT, state),
            ("next.2", FLOAT, state),
        ],
        {},
    )


def _write_joiner(folder: Path, weights: Weights, outputs: int, blank_bias: float) -> None:
    graph = Graph(
        ("encoder_outputs", FLOAT, ["B", SIZE, 1]), ("decoder_outputs", FLOAT, ["B", SIZE, 1])
    )
    both = graph.node("Tanh", graph.node("Add", "encoder_outputs", "decoder_outputs"))
    rows = graph.node("Transpose", both, perm=[0, 2, 1])
    product = graph.node("MatMul", rows, graph.weight(weights.normal(SIZE, outputs)))
    bias = np.zeros(outputs, np.float32)
    bias[UNKNOWN], bias[TOKENS - 1] = UNKNOWN_BIAS, blank_bias
    summed = graph.node("Add", product, graph.weight(bias))
    graph.node("Unsqueeze", summed, graph.weight([1]), name="logit")
    shape: list[Any] = ["B", 1, 1, outputs]
    graph.save(folder / "joiner.int8.onnx", [("logit", FLOAT, shape)], {})
