"""What can be wrong with a model on disk, for the tests of what every engine refuses."""

from __future__ import annotations

import io
import os
import shutil
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml

MARKER = "it-ran"
PYANNOTE_WEIGHTS = "embedding/pytorch_model.bin"
NEMO_CONFIG = "model_config.yaml"
NEMO_WEIGHTS = "model_weights.ckpt"

Damage = Callable[[Path], object]
Change = Callable[[dict[str, Any]], None]


class Payload:
    """Whoever unpickles it runs a command: it makes a folder."""

    def __init__(self, marker: Path) -> None:
        self._marker = str(marker)

    def __reduce__(self) -> tuple[Callable[[str], None], tuple[str]]:
        return os.mkdir, (self._marker,)


def marker_of(root: Path) -> Path:
    """The folder that is there once a model's code has run."""
    return root.parent / MARKER


def nothing(root: Path) -> None:
    """Leaves a model as it is."""


def empty(root: Path) -> None:
    """Leaves the folder alone."""
    for each in root.iterdir():
        shutil.rmtree(each) if each.is_dir() else each.unlink()


def without(name: str) -> Damage:
    """One file less."""
    return lambda root: (root / name).unlink()


def flipped(name: str) -> Damage:
    """Another byte in the middle of a file."""

    def damage(root: Path) -> None:
        content = bytearray((root / name).read_bytes())
        content[len(content) // 2] ^= 1
        (root / name).write_bytes(content)

    return damage


def halved(name: str) -> Damage:
    """A file that ends in its middle."""

    def damage(root: Path) -> None:
        content = (root / name).read_bytes()
        (root / name).write_bytes(content[: len(content) // 2])

    return damage


def garbage(name: str) -> Damage:
    """A file of another kind."""
    return lambda root: (root / name).write_bytes(b"\x00no model" * 1000)


def compressed(name: str) -> Damage:
    """The same archive, compressed."""

    def damage(root: Path) -> None:
        files = nemo_files(root / name)
        _write_archive(root / name, files, "w:gz")

    return damage


def copied(name: str, second: str) -> Damage:
    """A file that is there twice."""
    return lambda root: shutil.copyfile(root / name, root / second)


def config_text(text: str) -> Damage:
    """Another text as the configuration of pyannote's pipeline."""
    return lambda root: (root / "config.yaml").write_text(text)


def config(change: Change) -> Damage:
    """A change of the configuration of pyannote's pipeline."""

    def damage(root: Path) -> None:
        content = yaml.safe_load((root / "config.yaml").read_text())
        change(content)
        (root / "config.yaml").write_text(yaml.safe_dump(content))

    return damage


def checkpoint(make: Callable[[Path], object]) -> Damage:
    """Other weights of pyannote's embedding."""
    return lambda root: (root / PYANNOTE_WEIGHTS).write_bytes(saved(make(root)))


def nemo_text(name: str, text: str) -> Damage:
    """Another text as the configuration of a .nemo file."""
    return lambda root: _replace(root / name, NEMO_CONFIG, text.encode())


def nemo_config(name: str, change: Change) -> Damage:
    """A change of the configuration of a .nemo file."""

    def damage(root: Path) -> None:
        content = yaml.safe_load(nemo_files(root / name)[NEMO_CONFIG])
        change(content)
        _replace(root / name, NEMO_CONFIG, yaml.safe_dump(content).encode())

    return damage


def nemo_weights(name: str, make: Callable[[Path], object]) -> Damage:
    """Other weights of a .nemo file."""
    return lambda root: _replace(root / name, NEMO_WEIGHTS, saved(make(root)))


def nemo_bytes(name: str, content: bytes) -> Damage:
    """Other content as the weights of a .nemo file."""
    return lambda root: _replace(root / name, NEMO_WEIGHTS, content)


def nemo_halved(name: str) -> Damage:
    """A .nemo file whose weights end in their middle."""

    def damage(root: Path) -> None:
        weights = nemo_files(root / name)[NEMO_WEIGHTS]
        _replace(root / name, NEMO_WEIGHTS, weights[: len(weights) // 2])

    return damage


def nemo_without(name: str, member: str) -> Damage:
    """A .nemo file with one file less."""
    return lambda root: _replace(root / name, member, None)


def payload(root: Path) -> object:
    """Weights of which one runs code."""
    return {"state_dict": Payload(marker_of(root))}


def saved(content: object) -> bytes:
    """Content as torch writes it."""
    import torch

    file = io.BytesIO()
    torch.save(content, file)
    return file.getvalue()


def nemo_files(path: Path) -> dict[str, bytes]:
    """The files of a .nemo file, by their names."""
    with tarfile.open(path) as archive:
        return {
            Path(each.name).name: file.read()
            for each in archive
            if (file := archive.extractfile(each)) is not None
        }


def _replace(path: Path, name: str, content: bytes | None) -> None:
    files = nemo_files(path)
    del files[name]
    if content is not None:
        files[name] = content
    _write_archive(path, files, "w:")


def _write_archive(path: Path, files: dict[str, bytes], mode: Any) -> None:
    with tarfile.open(path, mode) as archive:
        for name, content in files.items():
            entry = tarfile.TarInfo(f"./{name}")
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
