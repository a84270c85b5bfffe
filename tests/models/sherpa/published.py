"""Files that look like a published model of each family, and read nothing."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tests.models.sherpa.graphs import FLOAT, Graph
from tests.models.sherpa.k2 import write_k2, write_k2_streaming
from tests.models.sherpa.nemo import write_nemo, write_nemo_streaming

# Those that run.
WRITERS: dict[str, Callable[[Path], None]] = {
    "nemo-transducer": write_nemo,
    "streaming-nemo-transducer": write_nemo_streaming,
    "streaming-transducer": write_k2_streaming,
    "transducer": write_k2,
}
# The others: their files, and the metadata that those in ONNX have.
FILES = {
    "canary": "encoder.int8.onnx decoder.int8.onnx tokens.txt",
    "moonshine": "preprocess.onnx encode.int8.onnx uncached_decode.int8.onnx "
    "cached_decode.int8.onnx tokens.txt",
    "moonshine-v2": "encoder_model.ort decoder_model_merged.ort tokens.txt",
    "nemo-ctc": "model.int8.onnx model.onnx tokens.txt",
    "paraformer": "model.int8.onnx tokens.txt",
    "qwen3-asr": "conv_frontend.onnx encoder.int8.onnx decoder.int8.onnx tokenizer/vocab.json",
    "sense-voice": "model.int8.onnx model.onnx tokens.txt",
    "whisper": "tiny-encoder.int8.onnx tiny-decoder.int8.onnx tiny-encoder.onnx tiny-tokens.txt",
    "zipformer-ctc": "model.onnx tokens.txt",
}
METADATA = {
    "canary": {"model_type": "EncDecMultiTaskModel"},
    "nemo-ctc": {"model_type": "EncDecHybridRNNTCTCBPEModel"},
    "paraformer": {"model_type": "paraformer"},
    "sense-voice": {"model_type": "sense_voice_ctc"},
    "whisper": {
        "model_type": "whisper-tiny",
        "is_multilingual": "1",
        "all_language_codes": "en,de",
    },
    "zipformer-ctc": {"model_type": "zipformer2_ctc"},
}


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
