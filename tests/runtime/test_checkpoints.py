"""Weights are as long as their own header says, or are refused."""

from __future__ import annotations

import json
import struct
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from maie_core.checkpoints import require_complete
from maie_core.errors import Code, StageError
from tests.properties import examples

pytestmark = pytest.mark.unit

MODELS = Path(__file__).parents[1] / "models"
TINY_WHISPER = MODELS / "tiny-whisper" / "model.bin"
TINY_QWEN = MODELS / "tiny-qwen3" / "model.safetensors"


def text(value: str) -> bytes:
    content = value.encode() + b"\0"
    return struct.pack("<H", len(content)) + content


def ctranslate2(version: int) -> bytes:
    """Two variables, as each version of the format writes them."""
    header = text("WhisperSpec") + struct.pack("<I", 3) if version >= 2 else b""
    # A matrix of 2 x 3 of float32, and a scalar of one byte.
    variables = ((text("weight"), (2, 3), 4, 0), (text("flag"), (), 1, 1))
    body = b""
    for name, dimensions, width, kind in variables:
        count = 1
        for dimension in dimensions:
            count *= dimension
        body += name + struct.pack(f"<B{len(dimensions)}I", len(dimensions), *dimensions)
        if version >= 4:
            body += struct.pack("<BI", kind, count * width)
        else:
            body += struct.pack("<BI", width, count)
        body += bytes(count * width)
    aliases = struct.pack("<I", 1) + text("same") + text("weight") if version >= 3 else b""
    return struct.pack("<I", version) + header + struct.pack("<I", 2) + body + aliases


def refusal(folder: Path, name: str, content: bytes) -> StageError:
    (folder / name).write_bytes(content)
    with pytest.raises(StageError) as caught:
        require_complete(folder)
    assert (caught.value.code, caught.value.reason) == (Code.FAILED_PRECONDITION, "MODEL_CORRUPT")
    assert str(folder / name) in caught.value.message
    return caught.value


@pytest.mark.parametrize("version", range(1, 7))
def test_every_version_is_whole_at_its_end_and_nowhere_before(tmp_path: Path, version: int) -> None:
    content = ctranslate2(version)
    (tmp_path / "model.bin").write_bytes(content)
    require_complete(tmp_path)
    for length in range(len(content)):
        refusal(tmp_path, "model.bin", content[:length])


def test_what_is_missing_is_counted(tmp_path: Path) -> None:
    weights = TINY_WHISPER.read_bytes()
    error = refusal(tmp_path, "model.bin", weights[: len(weights) // 2])
    assert "its header states 111 variables, and 73 of them are there" in error.message


@settings(max_examples=examples(50))
@given(length=st.integers(0, TINY_WHISPER.stat().st_size - 1))
def test_a_real_model_cut_anywhere_is_refused(
    tmp_path_factory: pytest.TempPathFactory, length: int
) -> None:
    refusal(tmp_path_factory.mktemp("cut"), "model.bin", TINY_WHISPER.read_bytes()[:length])


def test_a_model_bin_of_another_format_is_left_to_its_engine(tmp_path: Path) -> None:
    (tmp_path / "model.bin").write_bytes(b"PK\3\4 a torch archive")
    require_complete(tmp_path)


def test_safetensors_are_counted_too(tmp_path: Path) -> None:
    weights = TINY_QWEN.read_bytes()
    (tmp_path / "model.safetensors").write_bytes(weights)
    require_complete(tmp_path)
    tensors = json.loads(weights[8 : 8 + struct.unpack("<Q", weights[:8])[0]])
    count = len(tensors.keys() - {"__metadata__"})
    error = refusal(tmp_path, "model.safetensors", weights[:-1])
    assert f"states {count} tensors, and {count - 1} of them are there" in error.message
    for length in (0, 7, 8, 100):
        refusal(tmp_path, "model.safetensors", weights[:length])


@pytest.mark.parametrize("header", [b"[1]", b"{", b'{"a": 1}', b'{"a": {"data_offsets": []}}'])
def test_a_header_that_is_not_one_is_refused(tmp_path: Path, header: bytes) -> None:
    refusal(tmp_path, "model.safetensors", struct.pack("<Q", len(header)) + header)


def test_a_shard_in_a_folder_below_is_looked_at(tmp_path: Path) -> None:
    (tmp_path / "part").mkdir()
    refusal(tmp_path, "part/model-00001-of-00002.safetensors", b"short")
