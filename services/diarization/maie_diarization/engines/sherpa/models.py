"""The models of this package as sherpa-onnx reads them: files whose metadata describe them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from maie_diarization.engine import SAMPLE_RATE
from maie_diarization.engines.embedded.models import CAMPPLUS, MODELS, PACKAGE
from maie_speech.shipped_models import ShippedModel, read_model

# The model was trained on 10 s. But in these windows two voices rarely become one: in four of
# LibriSpeech 3 % of the speech had another speaker, and with 10 s it was 10 %.
WINDOW: Final = 5 * SAMPLE_RATE
# Of ModelProto.metadata_props, and of the key and the value of an entry (onnx.proto3).
_ENTRY, _KEY, _VALUE = 14, 1, 2
_BYTES: Final = 2
_LONGEST: Final = 127


@dataclass(kw_only=True, frozen=True, slots=True)
class DescribedModel:
    """A model and what sherpa-onnx must know of it.

    Attributes:
        model: The model.
        metadata: What sherpa-onnx's own conversions say of such a model
            (scripts/pyannote/segmentation/export-onnx.py and scripts/3dspeaker/export-onnx.py).
    """

    model: ShippedModel
    metadata: Mapping[str, str]

    def write(self, folder: Path) -> Path:
        """Verifies the model and writes it as a file for sherpa-onnx.

        Args:
            folder: Where the file is put.

        Raises:
            StageError: FAILED_PRECONDITION with MODEL_MISSING or MODEL_CORRUPT.
        """
        path = folder / self.model.path.name
        # The file is a protobuf message, whose fields may come in any order.
        path.write_bytes(read_model(self.model) + _encoded(self.metadata))
        return path


SEGMENTATION: Final = DescribedModel(
    # Written by tools/converted_models.
    model=ShippedModel(
        package=PACKAGE,
        name="segmentation-3.0",
        path=MODELS / "segmentation" / "segmentation.onnx",
        sha256="e3a2a1742f5b28117353cc280acc8f31c7a7d86ccb89e49c90ad627023efddb8",
    ),
    metadata={
        "model_type": "pyannote-segmentation-3.0",
        "num_speakers": "3",
        "powerset_max_classes": "2",
        "num_classes": "7",
        "sample_rate": str(SAMPLE_RATE),
        "window_size": str(WINDOW),
        "receptive_field_size": "991",
        "receptive_field_shift": "270",
    },
)
# sherpa-onnx wants one, and uses it where audio is longer than a window.
ENCODER: Final = DescribedModel(
    model=CAMPPLUS,
    metadata={
        "framework": "3d-speaker",
        "language": "Chinese-English",
        "sample_rate": str(SAMPLE_RATE),
        "output_dim": "192",
        "normalize_samples": "0",
        "feature_normalize_type": "global-mean",
    },
)


def _encoded(metadata: Mapping[str, str]) -> bytes:
    entries = (
        _field(_KEY, key.encode()) + _field(_VALUE, value.encode())
        for key, value in metadata.items()
    )
    return b"".join(_field(_ENTRY, entry) for entry in entries)


def _field(number: int, content: bytes) -> bytes:
    """A field of bytes so short that its length is one byte."""
    if len(content) > _LONGEST:
        raise ValueError(f"{content!r} is longer than {_LONGEST} bytes")
    return bytes([number << 3 | _BYTES, len(content)]) + content
