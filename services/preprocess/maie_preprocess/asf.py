"""The length that an ASF or WMA file states. Runs in the decoder.

The objects are those of the Advanced Systems Format Specification 1.2.
"""

from __future__ import annotations

from typing import Final

from maie_preprocess.reader import Reader

MAGIC: Final = bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c")
_FILE_PROPERTIES: Final = bytes.fromhex("a1dcab8c47a9cf118ee400c00c205365")
_OBJECT_BYTES: Final = 24
# The header object has six bytes of its own before its child objects.
_HEADER_BYTES: Final = 30
_BROADCAST: Final = 1
MAX_OBJECTS: Final = 1000


def stated_size(file: Reader) -> int | None:
    """The stated end of the last object, in bytes; None in a live recording."""
    offset = 0
    for _ in range(MAX_OBJECTS):
        header = file.at(offset, _OBJECT_BYTES)
        if len(header) < _OBJECT_BYTES:
            return offset
        size = int.from_bytes(header[16:], "little")
        if size < _OBJECT_BYTES:
            return None
        offset += size
    return None


def stated_seconds(file: Reader) -> float | None:
    """The play duration that the header states; None if it states none."""
    offset = _HEADER_BYTES
    for _ in range(MAX_OBJECTS):
        header = file.at(offset, _OBJECT_BYTES + 80)
        if len(header) < _OBJECT_BYTES + 80:
            return None
        if header.startswith(_FILE_PROPERTIES):
            return _play_seconds(header)
        size = int.from_bytes(header[16:24], "little")
        if size < _OBJECT_BYTES:
            return None
        offset += size
    return None


def _play_seconds(properties: bytes) -> float | None:
    if int.from_bytes(properties[88:92], "little") & _BROADCAST:
        return None
    # In units of 100 ns, including the preroll that a player buffers first, in ms.
    played = int.from_bytes(properties[64:72], "little") / 1e7
    buffered = int.from_bytes(properties[80:88], "little") / 1e3
    return played - buffered if played > buffered else None
