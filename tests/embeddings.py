"""Finds embeddings and keys in whatever leaves a mesh, in each form that they may have there."""

from __future__ import annotations

import io
import re
import zipfile
import zlib
from array import array
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Iterator

from google.protobuf import text_encoding

# Less than this of a secret is no find. A multiple of three, so that base64 has it as a whole.
_PIECE = 12
# So many numbers of an embedding are no coincidence.
_NUMBERS = 3
_DIGITS = 5


def leaks(content: bytes, embedding: bytes) -> list[str]:
    """How an embedding is in what somebody gets; empty where it is not.

    Args:
        content: What they get; also a ZIP file or a PDF, whose compressed parts are read.
        embedding: 32-bit floats, little-endian.
    """
    found = []
    for part in _parts(content):
        found += secret_leaks(part, embedding)
        text = part.decode("latin-1")
        if sum(number in text for number in _numbers(embedding)) >= _NUMBERS:
            found.append("numbers")
    return found


def secret_leaks(content: bytes, secret: bytes) -> list[str]:
    """How a secret is in what somebody gets; empty where it is not."""
    # What is logged or put into JSON is escaped once more.
    views = content, content.replace(rb"\\", b"\\")
    return [
        name
        for name, form in _forms(secret)
        if any(form in (view.lower() if name == "hex" else view) for view in views)
    ]


def _forms(secret: bytes) -> Iterator[tuple[str, bytes]]:
    piece = secret[:_PIECE]
    yield "raw", piece
    yield "hex", piece.hex().encode()
    yield "repr", repr(piece)[2:-1].encode()
    yield "escaped", text_encoding.CEscape(piece, as_utf8=False).encode()
    for shift in range(3):  # wherever it begins in what is encoded
        shifted = secret[shift : shift + _PIECE]
        yield "base64", b64encode(shifted)
        yield "urlsafe base64", urlsafe_b64encode(shifted)


def _numbers(embedding: bytes) -> Iterator[str]:
    for value in array("f", embedding):
        if abs(value) >= 0.1:
            yield f"{abs(value):.9f}"[: _DIGITS + 2]


def _parts(content: bytes) -> Iterator[bytes]:
    """What is sent, and what is compressed within."""
    yield content
    if content.startswith(b"PK"):
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            yield from (archive.read(name) for name in archive.namelist())
    if content.startswith(b"%PDF"):
        for stream in re.findall(rb"stream\r?\n(.*?)endstream", content, re.DOTALL):
            try:
                yield zlib.decompress(stream)
            except zlib.error:
                yield stream
