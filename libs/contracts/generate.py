"""Generates the Python contract from protos/: messages, gRPC stubs and their types.

Run `make generate` after a change to protos/ and commit what it writes together with the change.
"""

from __future__ import annotations

import argparse
import re
import sys
import tempfile
from importlib.resources import files
from pathlib import Path

import google.rpc
import grpc_tools
from grpc_tools import protoc

ROOT = Path(__file__).resolve().parents[2]
PROTOS = ROOT / "protos"
OUTPUT = Path(__file__).resolve().parent
GENERATED = ("*_pb2.py", "*_pb2.pyi", "*_pb2_grpc.py", "*_pb2_grpc.pyi")
SERVICE = re.compile(r"^service\s", re.MULTILINE)
# mypy-protobuf writes the types of the gRPC stubs, which protoc does not.
GRPC_TYPES_PLUGIN = Path(sys.executable).with_name("protoc-gen-mypy_grpc")


class GenerationError(Exception):
    """protoc refused the protos; it has said why on stderr."""


def generate(output: Path) -> None:
    """Writes the code of every proto below `output`.

    Raises:
        GenerationError: protoc failed.
    """
    protos = sorted(PROTOS.rglob("*.proto"))
    services = [proto for proto in protos if SERVICE.search(proto.read_text(encoding="utf-8"))]
    _protoc(protos, f"--python_out={output}", f"--pyi_out={output}")
    _protoc(
        services,
        f"--plugin=protoc-gen-mypy_grpc={GRPC_TYPES_PLUGIN}",
        f"--grpc_python_out={output}",
        f"--mypy_grpc_out=quiet,only_async:{output}",
    )


def _protoc(protos: list[Path], *options: str) -> None:
    if not protos:
        return
    includes = (
        PROTOS,
        Path(str(files(grpc_tools) / "_proto")),  # google/protobuf
        Path(google.rpc.__path__[0]).parents[1],  # google/rpc and google/api
    )
    arguments = [f"-I{include}" for include in includes]
    sources = [proto.relative_to(PROTOS).as_posix() for proto in protos]
    if protoc.main(["protoc", *arguments, *options, *sources]) != 0:
        raise GenerationError


def read(folder: Path) -> dict[Path, bytes]:
    """The generated files below `folder`, by relative path."""
    package = folder / "maie"
    found = (path for pattern in GENERATED for path in package.rglob(pattern))
    return {path.relative_to(folder): path.read_bytes() for path in found}


def differences(wanted: dict[Path, bytes], present: dict[Path, bytes]) -> list[Path]:
    """The paths that are missing, left over or not the same."""
    paths = wanted.keys() | present.keys()
    return sorted(path for path in paths if wanted.get(path) != present.get(path))


def write(wanted: dict[Path, bytes], changed: list[Path]) -> None:
    """Makes the checked-in files what `wanted` says, touching only those that `changed` names."""
    for path in changed:
        target = OUTPUT / path
        if path in wanted:
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(wanted[path])
        else:
            target.unlink()


def main() -> int:
    """Generates, or with --check only compares; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="only name the files that differ")
    check: bool = parser.parse_args().check
    with tempfile.TemporaryDirectory() as folder:
        try:
            generate(Path(folder))
        except GenerationError:
            print("protoc refused the protos; see the lines above.", file=sys.stderr)
            return 1
        wanted = read(Path(folder))
    changed = differences(wanted, read(OUTPUT))
    for path in changed:
        print(OUTPUT.relative_to(ROOT) / path)
    if check and changed:
        print("These files differ from what protos/ gives: run `make generate`.", file=sys.stderr)
        return 1
    if not check:
        write(wanted, changed)
    return 0


if __name__ == "__main__":
    sys.exit(main())
