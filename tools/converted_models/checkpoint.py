"""Reads the tensors of a torch checkpoint without torch, and runs none of its code.

A checkpoint is a pickle, and a pickle may name any function to call. `_TensorReader` knows the
few names that tensors are made of; every other name becomes an `_Ignored`, which does nothing.
"""

from __future__ import annotations

import io
import pickle
import struct
from collections import OrderedDict
from collections.abc import Callable
from typing import Any, Final
from zipfile import ZipFile, is_zipfile

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

_STORAGES: Final = {
    "FloatStorage": np.dtype("<f4"),
    "DoubleStorage": np.dtype("<f8"),
    "HalfStorage": np.dtype("<f2"),
    "IntStorage": np.dtype("<i4"),
    "LongStorage": np.dtype("<i8"),
}
# A checkpoint of torch before 1.6 begins with four pickles: a magic number, the protocol, sizes of
# the machine's types, and the content; the storages' names and the storages follow.
_PICKLES_BEFORE_CONTENT: Final = 3

Storage = Callable[[str, np.dtype[Any], int], Array]


def read_tensors(content: bytes, name: str) -> dict[str, NDArray[np.float32]]:
    """Reads the tensors of a model.

    Args:
        content: The checkpoint's file, of torch 1.6 or newer (a zip file) or older.
        name: The entry of the checkpoint that maps names to tensors; empty for all of it.

    Raises:
        KeyError: There is no such entry.
        pickle.UnpicklingError: The file is no checkpoint.
    """
    whole = _read_zip(content) if is_zipfile(io.BytesIO(content)) else _read_old(content)
    found = whole[name] if name else whole
    return {key: np.ascontiguousarray(value, np.float32) for key, value in found.items()}


def _read_zip(content: bytes) -> Any:
    with ZipFile(io.BytesIO(content)) as archive:
        root = archive.namelist()[0].partition("/")[0]

        def storage(key: str, kind: np.dtype[Any], _: int) -> Array:
            return np.frombuffer(archive.read(f"{root}/data/{key}"), kind)

        return _TensorReader(io.BytesIO(archive.read(f"{root}/data.pkl")), storage).load()


def _read_old(content: bytes) -> Any:
    file = io.BytesIO(content)
    storages: dict[str, Array] = {}

    def storage(key: str, kind: np.dtype[Any], length: int) -> Array:
        return storages.setdefault(key, np.zeros(length, kind))

    for _ in range(_PICKLES_BEFORE_CONTENT):
        _TensorReader(file, storage).load()
    whole = _TensorReader(file, storage).load()
    for key in _TensorReader(file, storage).load():
        values = storages[key]
        (length,) = struct.unpack("<q", file.read(8))
        if length != len(values):
            raise pickle.UnpicklingError(f"storage {key} has {length} values, not {len(values)}")
        values[:] = np.frombuffer(file.read(values.nbytes), values.dtype)
    return whole


class _Ignored:
    """What is no tensor: it can be made, changed and filled, and keeps nothing."""

    def __init__(self, *_: Any) -> None: ...

    def __setstate__(self, _: Any) -> None: ...

    def __setitem__(self, _: Any, __: Any) -> None: ...

    def append(self, _: Any) -> None:
        """Keeps nothing."""

    def extend(self, _: Any) -> None:
        """Keeps nothing."""


class _TensorReader(pickle.Unpickler):
    def __init__(self, file: io.BytesIO, storage: Storage) -> None:
        super().__init__(file)
        self._storage = storage

    def find_class(self, module_name: str, global_name: str) -> Any:
        if (module_name, global_name) == ("collections", "OrderedDict"):
            return OrderedDict
        if (module_name, global_name) == ("torch._utils", "_rebuild_tensor_v2"):
            return _tensor
        if module_name == "torch" and global_name in _STORAGES:
            return _STORAGES[global_name]
        return _Ignored

    def persistent_load(self, pid: Any) -> Array:
        _, kind, key, _, length, *_ = pid
        return self._storage(key, kind, length)


def _tensor(
    storage: Array, offset: int, shape: tuple[int, ...], strides: tuple[int, ...], *_: Any
) -> Array:
    """A view of a storage; as `torch._utils._rebuild_tensor_v2`, whose strides count elements."""
    last = offset + sum((size - 1) * step for size, step in zip(shape, strides, strict=True))
    if offset < 0 or min(strides, default=0) < 0 or last >= len(storage):
        raise pickle.UnpicklingError("a tensor reaches beyond its storage")
    steps = tuple(step * storage.itemsize for step in strides)
    return np.lib.stride_tricks.as_strided(storage[offset:], shape, steps)
