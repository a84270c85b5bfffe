"""Takes a backup of a mesh, which may run meanwhile."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from obstore.store import ObjectStore

from maie_core.models import file_sha256
from maie_runtime import folders
from maie_runtime.backup.errors import BackupError
from maie_runtime.backup.files import OBJECTS, STREAMS, Sums
from maie_runtime.backup.manifest import FORMAT, MANIFEST, Manifest
from maie_runtime.backup.objects import copy_objects_out
from maie_runtime.backup.streams import JOBS, add_removals, copy_streams_out
from maie_runtime.bus.broker import Broker
from maie_runtime.bus.stream_copy import server_version

NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


async def back_up(
    broker: Broker, store: ObjectStore, folder: Path, report: Callable[[str], None]
) -> Manifest:
    """Writes a backup into a new or empty folder, readable by its owner only.

    The streams come before the objects: whatever a record or an event refers to was stored before
    it. Parts of kept audio go when they are put together, so they are copied before and after.
    Other objects go with their jobs, whose removal is then in the backup as well.

    Args:
        broker: The connection; it needs the rights of an operator.
        store: The object store.
        folder: The folder.
        report: Called with a line about each step.

    Raises:
        BackupError: The folder is in use or its disk is full, there is no mesh, or the object store
            does not answer.
        nats.errors.Error, APIError or OSError: As `BROKER_ERRORS`; or the folder cannot be written.
    """
    _make(folder)
    try:
        return await _write(broker, store, folder, report)
    except OSError as error:
        if error.errno not in NO_ROOM:
            raise
        raise BackupError(
            f"The disk of {folder} is full ({error.strerror}), and what is there is no whole "
            "backup; remove it, and run the command again with more room."
        ) from error


async def _write(
    broker: Broker, store: ObjectStore, folder: Path, report: Callable[[str], None]
) -> Manifest:
    begun, sums = _now(), Sums(folder)
    await copy_objects_out(store, folder, sums, [folders.LIVE])
    report("copying the streams")
    streams = await copy_streams_out(broker, folder)
    report("copying the objects")
    await copy_objects_out(store, folder, sums)
    streams[JOBS] = await add_removals(broker, folder, streams[JOBS])
    for path in (folder / STREAMS).iterdir():
        sums.add(f"{STREAMS}/{path.name}", file_sha256(path))
    sizes = [path.stat().st_size for path in (folder / OBJECTS).rglob("*") if path.is_file()]
    manifest = Manifest(
        format=FORMAT,
        maie=version("maie-runtime"),
        nats_server=server_version(broker),
        begun=begun,
        ended=_now(),
        streams=list(streams.values()),
        objects=len(sizes),
        object_bytes=sum(sizes),
        sums=sums.write(),
    )
    # The manifest says that all is there, so all has to be on the disk before.
    os.sync()
    manifest.write(folder)
    return manifest


def _make(folder: Path) -> None:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    there = {path.name for path in folder.iterdir()}
    if STREAMS in there and MANIFEST not in there:
        raise BackupError(
            f"{folder} holds a backup that did not come to its end; remove it, or name a new one."
        )
    if there:
        raise BackupError(f"{folder} is not empty; name a new folder for each backup.")
    folder.chmod(0o700)
    for name in (STREAMS, OBJECTS):
        (folder / name).mkdir()


def _now() -> str:
    return datetime.now(UTC).isoformat()
