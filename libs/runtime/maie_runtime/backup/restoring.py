"""Restores a backup into an empty mesh."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import aclosing, suppress
from pathlib import Path

from obstore.store import ObjectStore

from maie_runtime import folders
from maie_runtime.backup.errors import BackupError
from maie_runtime.backup.files import later_file, pieces, snapshot_file, verified
from maie_runtime.backup.later import from_lines
from maie_runtime.backup.manifest import CopiedStream, Manifest, read_manifest
from maie_runtime.backup.objects import copy_objects_in, stored_objects
from maie_runtime.backup.streams import REMOVAL
from maie_runtime.backup.tries import tries
from maie_runtime.bus import subjects
from maie_runtime.bus.broker import Broker
from maie_runtime.bus.errors import APIError, NotFoundError
from maie_runtime.bus.stored_subjects import stored_subjects
from maie_runtime.bus.stream_copy import (
    CHUNK_BYTES,
    Restored,
    restore_stream,
    restored,
    server_version,
)

# The server's words where it is alone, and where its cluster is too small.
TOO_FEW_SERVERS = re.compile("replicas > 1 not supported|no suitable peers")
ELSEWHERE = "restore into a new broker and an empty object store"


async def restore(
    broker: Broker,
    store: ObjectStore,
    folder: Path,
    report: Callable[[str], None],
    *,
    replicas: int | None = None,
) -> Manifest:
    """Verifies a backup and puts all of it into an empty mesh.

    It may be called again after it was interrupted, and then does what is left.

    Args:
        broker: The connection; it needs the rights of an operator.
        store: The object store.
        folder: The backup.
        report: Called with a line about each step.
        replicas: How many servers of a cluster are to keep each stream; None: as many as did.

    Raises:
        BackupError: The backup is damaged, the mesh is not empty or runs, the broker is too old, or
            the object store does not answer.
        nats.errors.Error, APIError or OSError: As `BROKER_ERRORS`.
    """
    report("verifying the backup")
    manifest, digest = read_manifest(folder)
    sizes = verified(folder, manifest)
    _check_version(manifest, server_version(broker))
    await _check_stopped(broker)
    there = await _streams(broker, manifest.streams, digest)
    objects = {
        key: size
        for prefix in folders.OF_JOBS
        for key, size in stored_objects(store, prefix).items()
    }
    if others := objects.keys() - sizes.keys():
        raise BackupError(
            f"The object store is not empty: {len(others)} objects are not of this backup, such "
            f"as {min(others)}; {ELSEWHERE}."
        )
    report("restoring the objects")
    await copy_objects_in(store, folder, sizes, objects)
    report("restoring the streams")
    for stream in manifest.streams:
        await _restore_stream(broker, stream, folder, digest, there, replicas)
    return manifest


async def _restore_stream(
    broker: Broker,
    stream: CopiedStream,
    folder: Path,
    digest: str,
    there: Mapping[str, Restored],
    replicas: int | None,
) -> None:
    found = there.get(stream.name)
    if found is not None and found.whole:
        return
    async for tried in tries():
        with tried:
            if found is not None or tried.retry_state.attempt_number > 1:
                with suppress(NotFoundError):  # an earlier try did it
                    await broker.jetstream.delete_stream(stream.name)
            await _make_stream(broker, stream, folder, digest, replicas)


async def _make_stream(
    broker: Broker, stream: CopiedStream, folder: Path, digest: str, replicas: int | None
) -> None:
    async with aclosing(from_lines(folder / later_file(stream.name))) as later:
        snapshot = stream.snapshot(replicas)
        archive = pieces(folder / snapshot_file(stream.name), CHUNK_BYTES)
        try:
            last = await restore_stream(broker, snapshot, digest, archive, later)
        except APIError as error:
            if not TOO_FEW_SERVERS.search(str(error.description)):
                raise
            raise BackupError(
                f"{snapshot.config['num_replicas']} servers are to keep each stream, and this "
                "broker has fewer; run the command again with --replicas, such as --replicas 1."
            ) from error
    if last != stream.last:
        raise BackupError(
            f"{stream.name} ends at message {last} and not at {stream.last}; run the command again."
        )


async def _streams(
    broker: Broker, streams: Sequence[CopiedStream], digest: str
) -> dict[str, Restored]:
    """The streams that are there: empty ones, and those that this backup was restored to.

    Raises:
        BackupError: One has anything else in it.
    """
    found = {}
    for stream in streams:
        there = await restored(broker, stream.name)
        if there is None:
            continue
        found[stream.name] = there
        if there.copy == digest and there.whole and there.last != stream.last:
            raise BackupError(
                f"This backup was restored here before, and {stream.name} was written to since; "
                f"{ELSEWHERE}."
            )
        if there.copy != digest and there.messages:
            raise BackupError(
                f"The broker is not empty: {stream.name} has {there.messages} messages; "
                f"{ELSEWHERE}."
            )
    return found


async def _check_stopped(broker: Broker) -> None:
    """Raises BackupError where a part of a mesh lives: it would work on half of it."""
    bucket = subjects.bucket_stream(subjects.WORKERS)
    try:
        # The servers of a cluster that has just started elect a leader first.
        subjects_there = await stored_subjects(broker.client, bucket)
    except NotFoundError:
        return
    for subject in sorted(subjects_there):
        try:
            last = await broker.jetstream.get_last_msg(bucket, subject)
        except NotFoundError:
            continue
        if REMOVAL not in (last.headers or {}):
            part = subject.removeprefix(subjects.bucket_subject(subjects.WORKERS, ""))
            raise BackupError(
                f"A mesh runs on this broker ({part}); stop its gateways and workers, and run the "
                "command again. One that was killed is forgotten after a minute."
            )


def _check_version(manifest: Manifest, server: str) -> None:
    if _numbers(server) < _numbers(manifest.nats_server):
        raise BackupError(
            f"The backup is from nats-server {manifest.nats_server}, and {server} may not be able "
            "to read it; restore into the same version or a newer one."
        )


def _numbers(version: str) -> tuple[int, ...]:
    """The first two numbers of a version."""
    return tuple(int(number) for number in version.split(".")[:2])
