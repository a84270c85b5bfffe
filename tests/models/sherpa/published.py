"""Files that look like a published model of each family, and read nothing."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tests.models.sherpa.attention import write_canary, write_whisper
from tests.models.sherpa.ctc import write_nemo_ctc, write_sense_voice, write_zipformer_ctc
from tests.models.sherpa.graphs import FLOAT, Graph
from tests.models.sherpa.k2 import write_k2, write_k2_streaming
from tests.models.sherpa.nemo import write_nemo, write_nemo_streaming

# Those that run.
WRITERS: dict[str, Callable[[Path], None]] = {
    "canary": write_canary,
    "nemo-ctc": write_nemo_ctc,
    "nemo-transducer": write_nemo,
    "sense-voice": write_sense_voice,
    "streaming-nemo-transducer": write_nemo_streaming,
    "streaming-transducer": write_k2_streaming,
    "transducer": write_k2,
    "whisper": write_whisper,
    "zipformer-ctc": write_zipformer_ctc,
}
# The others: their files, and the metadata that those in ONNX have.
FILES = {
    "moonshine": "preprocess.onnx encode.int8.onnx uncached_decode.int8.onnx "
    "cached_decode.int8.onnx tokens.txt",
    "moonshine-v2": "encoder_model.ort decoder_model_merged.ort tokens.txt",
    "paraformer": "model.int8.onnx model.onnx tokens.txt",
    "qwen3-asr": "conv_frontend.onnx encoder.int8.onnx decoder.int8.onnx tokenizer/vocab.json",
}
METADATA = {"paraformer": {"model_type": "paraformer"}}


def write_model(folder: Path, family: str) -> Path:
    """A model of a family: one that runs, where one can be made."""
    if family in WRITERS:
        WRITERS[family](folder)
        return folder
    for name in FILES[family].split():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        if file.suffix == ".onnx":
            graph = Graph(("x", FLOAT, [1]))
            graph.node("Identity", "x", name="y")
            graph.save(file, [("y", FLOAT, [1])], METADATA.get(family, {}))
        else:
            file.write_text("<blk> 0\n")
    return folder
