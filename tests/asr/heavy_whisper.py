"""The tiny Whisper with ballast: it reads the same, and takes as much memory as wanted."""

from __future__ import annotations

import shutil
import struct
from pathlib import Path

from maie_core.models import file_sha256, read_manifest, write_manifest
from tests.asr.recordings import TINY_WHISPER

BALLAST_BYTES = 128 * 1024 * 1024
_INT8 = 1


def write_heavy_whisper(path: Path, ballast_bytes: int = BALLAST_BYTES) -> Path:
    """Writes the model with one more variable, which nothing uses.

    CTranslate2's file begins with its version, the specification's name and revision, and the
    number of variables; each variable is its name, rank, dimensions, type, size and data.
    """
    shutil.copytree(TINY_WHISPER, path)
    model = (TINY_WHISPER / "model.bin").read_bytes()
    (name_bytes,) = struct.unpack_from("<H", model, 4)
    revision_at = 6 + name_bytes
    revision, variables = struct.unpack_from("<II", model, revision_at)
    name = b"ballast\0"
    described = struct.pack("<H", len(name)) + name
    described += struct.pack("<BIBI", 1, ballast_bytes, _INT8, ballast_bytes)
    with (path / "model.bin").open("wb") as file:
        file.write(model[:revision_at] + struct.pack("<II", revision, variables + 1))
        file.write(described + bytes(ballast_bytes))
        file.write(model[revision_at + 8 :])
    manifest = read_manifest(path)
    assert manifest is not None
    files = {name: file_sha256(path / name) for name in manifest.files}
    write_manifest(path, manifest.model_copy(update={"files": files}))
    return path
