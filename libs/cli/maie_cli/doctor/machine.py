"""Checks this machine's requirements for a local mesh."""

from __future__ import annotations

import asyncio
import importlib
import os
import platform
import re
import shutil
import sys
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from maie_cli.doctor.finding import Finding, bad
from maie_cli.mesh.errors import MeshError
from maie_cli.mesh.layout import Layout
from maie_cli.mesh.options import GATEWAY_PORT, STAGES
from maie_cli.mesh.parts import nats_server
from maie_cli.mesh.ports import HOST, is_free
from maie_client.health import health_of

MIN_PYTHON = (3, 11)
# Earlier versions do not support syncing every write to the disk.
MIN_NATS = (2, 10)
# The largest recording with its chunks, and the broker's own files.
MIN_FREE_BYTES = 2 * 1024**3
INSTALL = "install it with: pip install 'maie-cli[mesh]'"
OTHER_PORTS = "stop what uses it, or start with: maie up --port-base 0"


def python_version() -> Finding:
    """The interpreter."""
    if sys.version_info < MIN_PYTHON:
        return bad("python", platform.python_version(), "install Python 3.11 or newer")
    return Finding(what="python", detail=platform.python_version())


async def nats_version() -> Finding:
    """Checks the broker's program."""
    try:
        program = nats_server()
        process = await asyncio.create_subprocess_exec(
            program, "--version", stdout=asyncio.subprocess.PIPE
        )
    except MeshError as error:
        return bad("nats-server", "missing", str(error))
    except OSError as error:
        return bad("nats-server", f"{program} does not run ({error.strerror})", INSTALL)
    answer = (await process.communicate())[0].decode(errors="replace")
    found = re.search(r"v(\d+)\.(\d+)\.\d+", answer)
    if not found or tuple(map(int, found.groups())) < MIN_NATS:
        return bad("nats-server", answer.strip() or "says nothing", INSTALL)
    return Finding(what="nats-server", detail=f"{found[0]} at {program}")


def decoder() -> Finding:
    """Checks PyAV, which decodes recordings."""
    try:
        importlib.import_module("av")
        return Finding(what="PyAV", detail=version("av"))
    except (ImportError, PackageNotFoundError) as error:
        return bad("PyAV", str(error), INSTALL)


def folder(data: Path) -> Iterator[Finding]:
    """Checks that the mesh's folder is writable and has space."""
    root = Layout(data).root
    existing = next(each for each in (root, *root.parents) if each.exists())
    if not existing.is_dir() or not os.access(existing, os.W_OK | os.X_OK):
        yield bad("data folder", f"{existing} cannot be written", "choose another with --data")
        return
    yield Finding(what="data folder", detail=f"{root} can be written")
    free = shutil.disk_usage(existing).free
    detail = f"{free / 1024**3:.1f} GiB free"
    if free < MIN_FREE_BYTES:
        needed = f"make room for {MIN_FREE_BYTES / 1024**3:.0f} GiB, or choose another with --data"
        yield bad("disk", detail, needed)
    else:
        yield Finding(what="disk", detail=detail)


async def ports() -> Finding:
    """Checks that the default ports are free or used by a mesh."""
    names = ("job", *STAGES)
    taken = [
        f"{GATEWAY_PORT + at}"
        for at, name in enumerate(names)
        if not is_free(GATEWAY_PORT + at) and not await _is_ours(GATEWAY_PORT + at, name)
    ]
    span = f"{GATEWAY_PORT} to {GATEWAY_PORT + len(STAGES)}"
    if taken:
        return bad("ports", f"another program uses {', '.join(taken)}", OTHER_PORTS)
    return Finding(what="ports", detail=f"{span} are free, or used by a mesh")


async def _is_ours(port: int, name: str) -> bool:
    """Whether one of maie's servers answers: its health check has the service."""
    service = f"maie.{name}.v1.{name.capitalize()}Service"
    return await health_of(f"{HOST}:{port}", service) is not None
