"""Checks that a file of weights is complete by its own header.

A digest proves that a file is the published one, but not that the published one is complete, nor
that trusted files are. The header states the number of variables and the size of each
in bytes.
"""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import BinaryIO

from maie_core.errors import Code, StageError
from maie_core.reasons import Reason

CTRANSLATE2_FILE = "model.bin"
# The format of CTranslate2's src/models/model.cc: since version 2 the specification is
# named, since 3 there are aliases of variables at the end, since 4 variables have a type and a size
# in bytes.
NAMED_SINCE = 2
ALIASES_SINCE = 3
COUNTED_IN_BYTES_SINCE = 4
NEWEST_VERSION = 6
# https://huggingface.co/docs/safetensors: the length of the JSON header comes first.
MAX_SAFETENSORS_HEADER_BYTES = 100_000_000


def require_complete(root: Path) -> None:
    """Refuses truncated weights.

    Args:
        root: A model's directory; only the headers of CTranslate2's `model.bin` and of safetensors
            files are read.

    Raises:
        StageError: FAILED_PRECONDITION with MODEL_CORRUPT, with the stated and the actual
            content.
    """
    weights = root / CTRANSLATE2_FILE
    if weights.is_file():
        _require_ctranslate2(weights)
    for path in sorted(root.rglob("*.safetensors")):
        _require_safetensors(path)


def _require_ctranslate2(path: Path) -> None:
    size = path.stat().st_size
    with path.open("rb") as file:
        try:
            (version,) = _unpack(file, "<I")
            if not 1 <= version <= NEWEST_VERSION:
                # Another program's model.bin, or a later format: the engine decides.
                return
            if version >= NAMED_SINCE:
                _skip_text(file)
                _unpack(file, "<I")
            (count,) = _unpack(file, "<I")
        except EOFError:
            raise _cut_short(path, f"its header ends after {size} bytes") from None
        for index in range(count):
            try:
                _skip_variable(file, version, size)
            except EOFError:
                raise _cut_short(
                    path, f"its header states {count} variables, and {index} of them are there"
                ) from None
        try:
            _skip_aliases(file, version)
        except EOFError:
            raise _cut_short(path, "its list of the variables' second names is not whole") from None


def _skip_variable(file: BinaryIO, version: int, size: int) -> None:
    _skip_text(file)
    (rank,) = _unpack(file, "<B")
    _unpack(file, f"<{rank}I")
    # The type's number or, in older versions, the size of one element.
    (kind,) = _unpack(file, "<B")
    (length,) = _unpack(file, "<I")
    if version < COUNTED_IN_BYTES_SINCE:
        length *= kind
    if file.tell() + length > size:
        raise EOFError
    file.seek(length, 1)


def _skip_aliases(file: BinaryIO, version: int) -> None:
    if version >= ALIASES_SINCE:
        (count,) = _unpack(file, "<I")
        for _ in range(2 * count):
            _skip_text(file)


def _skip_text(file: BinaryIO) -> None:
    (length,) = _unpack(file, "<H")
    if len(file.read(length)) < length:
        raise EOFError


def _unpack(file: BinaryIO, layout: str) -> tuple[int, ...]:
    length = struct.calcsize(layout)
    content = file.read(length)
    if len(content) < length:
        raise EOFError
    return struct.unpack(layout, content)


def _require_safetensors(path: Path) -> None:
    size = path.stat().st_size
    with path.open("rb") as file:
        try:
            (length,) = _unpack(file, "<Q")
        except EOFError:
            raise _cut_short(path, f"it has {size} bytes, and its header alone is longer") from None
        start = struct.calcsize("<Q") + length
        if start > size or length > MAX_SAFETENSORS_HEADER_BYTES:
            raise _cut_short(path, f"its header takes {length} bytes, and the file has {size}")
        try:
            header = json.loads(file.read(length))
            tensors = [value for name, value in header.items() if name != "__metadata__"]
            ends = [int(tensor["data_offsets"][1]) for tensor in tensors]
        except (ValueError, AttributeError, KeyError, TypeError, IndexError) as error:
            raise _corrupt(
                f"The header of {path} cannot be read; fetch the model again."
            ) from error
    if size < start + max(ends, default=0):
        there = sum(start + end <= size for end in ends)
        raise _cut_short(
            path, f"its header states {len(ends)} tensors, and {there} of them are there"
        )


def _cut_short(path: Path, what: str) -> StageError:
    return _corrupt(
        f"The weights {path} are cut short: {what}. Fetch the model again, from another source if "
        "it comes so."
    )


def _corrupt(message: str) -> StageError:
    return StageError(Code.FAILED_PRECONDITION, Reason.MODEL_CORRUPT, message)
