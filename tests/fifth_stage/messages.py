"""The messages of quality.proto: what `make generate` makes of a proto of the contract."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType

import grpc

ROOT = Path(__file__).parents[2]


def _compiled() -> ModuleType:
    protos = str(ROOT / "protos")  # which quality.proto imports from
    sys.path.append(protos)
    try:
        return grpc.protos("tests/fifth_stage/quality.proto")
    finally:
        sys.path.remove(protos)


quality = _compiled()
