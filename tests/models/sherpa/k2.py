"""Tiny transducers with a stateless decoder, as icefall exports Zipformers and LSTMs."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from tests.models.sherpa.graphs import FLOAT, INT64, Graph, Weights
from tests.models.sherpa.vocabulary import BINS, PIECES, write_bpe_vocab, write_tokens

SIZE = 16
# The tokens before that the decoder sees, and the frames of 10 ms that become one.
CONTEXT, STRIDE = 2, 4
# So that not every frame has a token.
BLANK_BIAS = 3.0
# The blank is a token, too, and the first.
TOKENS = len(PIECES) + 1


def write_k2(folder: Path) -> None:
    """A transducer that reads audio as a whole, as a Zipformer."""
    weights = Weights()
    folder.mkdir(parents=True)
    graph = Graph(("x", FLOAT, ["N", "T", BINS]), ("x_lens", INT64, ["N"]))
    _encode(graph, weights, "encoder_out")
    graph.node("Div", "x_lens", graph.weight([STRIDE]), name="encoder_out_lens")
    graph.save(
        folder / "encoder-epoch-99-avg-1.onnx",
        [("encoder_out", FLOAT, ["N", "S", SIZE]), ("encoder_out_lens", INT64, ["N"])],
        {"model_type": "zipformer2", "version": 1},
    )
    _write_rest(folder, weights)


def write_k2_streaming(folder: Path) -> None:
    """A transducer that keeps a state, as an LSTM."""
    weights = Weights()
    folder.mkdir(parents=True)
    state = ["L", "N", SIZE]
    graph = Graph(("x", FLOAT, ["N", "T", BINS]), ("h", FLOAT, state), ("c", FLOAT, state))
    encoded = _encode(graph, weights)
    memory = graph.node("Transpose", "h", perm=[1, 0, 2])
    graph.node("Add", encoded, memory, name="encoder_out")
    mean = graph.node("ReduceMean", "encoder_out", axes=[1], keepdims=1)
    graph.node("Tanh", graph.node("Transpose", mean, perm=[1, 0, 2]), name="next_h")
    graph.node("Identity", "c", name="next_c")
    graph.save(
        folder / "encoder-epoch-99-avg-1.onnx",
        [
            ("encoder_out", FLOAT, ["N", "S", SIZE]),
            ("next_h", FLOAT, state),
            ("next_c", FLOAT, state),
        ],
        {
            "model_type": "lstm",
            "num_encoder_layers": 1,
            "T": 36,
            "decode_chunk_len": 32,
            "rnn_hidden_size": SIZE,
            "d_model": SIZE,
        },
    )
    _write_rest(folder, weights)


def _encode(graph: Graph, weights: Weights, name: str = "") -> str:
    """Frames of shape (batch, time, bins), of log energies, to (batch, time / 4, size)."""
    across = graph.node("Transpose", "x", perm=[0, 2, 1])
    pooled = graph.node("AveragePool", across, kernel_shape=[STRIDE], strides=[STRIDE])
    frames = graph.node("Transpose", pooled, perm=[0, 2, 1])
    level = graph.node("ReduceMean", frames, axes=[2], keepdims=1)
    shape = graph.node("Sub", frames, level)
    matrix = graph.weight(weights.normal(BINS, SIZE, scale=0.3))
    return graph.node("MatMul", shape, matrix, name=name)


def _write_rest(folder: Path, weights: Weights) -> None:
    """Writes the decoder, the joiner and the vocabulary."""
    graph = Graph(("y", INT64, ["N", CONTEXT]))
    embedded = graph.node("Gather", graph.weight(weights.normal(TOKENS, SIZE)), "y")
    graph.node("ReduceMean", embedded, axes=[1], keepdims=0, name="decoder_out")
    graph.save(
        folder / "decoder-epoch-99-avg-1.onnx",
        [("decoder_out", FLOAT, ["N", SIZE])],
        {"vocab_size": TOKENS, "context_size": CONTEXT},
    )
    graph = Graph(("encoder_out", FLOAT, ["N", SIZE]), ("decoder_out", FLOAT, ["N", SIZE]))
    both = graph.node("Tanh", graph.node("Add", "encoder_out", "decoder_out"))
    product = graph.node("MatMul", both, graph.weight(weights.normal(SIZE, TOKENS)))
    bias = np.zeros(TOKENS, np.float32)
    bias[0] = BLANK_BIAS
    graph.node("Add", product, graph.weight(bias), name="logit")
    graph.save(
        folder / "joiner-epoch-99-avg-1.onnx",
        [("logit", FLOAT, ["N", TOKENS])],
        {"joiner_dim": SIZE},
    )
    write_tokens(folder, blank_last=False)
    write_bpe_vocab(folder)
