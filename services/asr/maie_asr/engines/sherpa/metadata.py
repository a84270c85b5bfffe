"""The metadata of an ONNX file, read without its weights.

The file is a protobuf message: https://github.com/onnx/onnx/blob/main/onnx/onnx.proto.
"""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

# Of ModelProto: the entries; of an entry: its key and its value.
METADATA_FIELD, KEY_FIELD, VALUE_FIELD = 14, 1, 2
VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5
WIDTHS = {FIXED64: 8, FIXED32: 4}
MAX_VARINT_BYTES = 10
# No entry of a model is as long.
MAX_ENTRY_BYTES = 1 << 24


def read_metadata(path: Path) -> dict[str, str]:
    """The entries of a model's metadata; only those are read, however large the file is.

    Raises:
        ValueError: The file is no ONNX model, or is cut short.
    """
    with path.open("rb") as file:
        entries = (dict(_fields(io.BytesIO(each))) for each in _entries(file))
        return {
            entry.get(KEY_FIELD, b"").decode(): entry.get(VALUE_FIELD, b"").decode()
            for entry in entries
        }


def _entries(file: BinaryIO) -> Iterator[bytes]:
    return (content for number, content in _fields(file) if number == METADATA_FIELD)


def _fields(file: BinaryIO) -> Iterator[tuple[int, bytes]]:
    """The numbers of a message's fields, with the bytes of those that are short."""
    size = file.seek(0, os.SEEK_END)
    file.seek(0)
    while file.tell() < size:
        number, kind = divmod(_varint(file), 8)
        if kind == VARINT:
            _varint(file)
            continue
        if kind != BYTES and kind not in WIDTHS:
            raise ValueError("it is no ONNX model")
        length = _varint(file) if kind == BYTES else WIDTHS[kind]
        if file.tell() + length > size:
            raise ValueError("it is cut short, or no ONNX model")
        if kind == BYTES and length <= MAX_ENTRY_BYTES:
            yield number, file.read(length)
        else:
            file.seek(length, os.SEEK_CUR)


def _varint(file: BinaryIO) -> int:
    value = 0
    for index in range(MAX_VARINT_BYTES):
        byte = file.read(1)
        if not byte:
            raise ValueError("it is cut short, or no ONNX model")
        value |= (byte[0] & 0x7F) << (7 * index)
        if byte[0] < 0x80:  # the last byte has no eighth bit
            return value
    raise ValueError("it is no ONNX model")
