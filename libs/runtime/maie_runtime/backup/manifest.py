"""What a backup says of itself: versions, counts and digests."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from maie_runtime.backup.errors import BackupError
from maie_runtime.bus.stream_copy import Snapshot

FORMAT = 1
MANIFEST = "manifest.json"


@dataclass(kw_only=True, frozen=True, slots=True)
class CopiedStream:
    """A stream of a backup.

    Attributes:
        config: Its configuration, as the server gave it.
        state: Its state at the begin of its snapshot.
        later: How many messages were stored since.
        last: The sequence of the last one.
    """

    config: dict[str, Any]
    state: dict[str, Any]
    later: int
    last: int

    @property
    def name(self) -> str:
        """The stream's name."""
        return str(self.config["name"])

    def snapshot(self, replicas: int | None) -> Snapshot:
        """What a restore of it starts from.

        Args:
            replicas: How many servers are to keep it; None: as many as did.
        """
        config = self.config | ({} if replicas is None else {"num_replicas": replicas})
        return Snapshot(config=config, state=self.state)


@dataclass(kw_only=True, frozen=True, slots=True)
class Manifest:
    """A whole backup.

    Attributes:
        format: The version of what a backup looks like.
        maie: The version of maie.
        nats_server: The version of the broker.
        begun: When it began: each job that was accepted before is in it.
        ended: When it ended.
        streams: The streams.
        objects: How many objects it has.
        object_bytes: Their bytes.
        sums: The SHA-256 of the list of all other files with their digests.
    """

    format: int
    maie: str
    nats_server: str
    begun: str
    ended: str
    streams: Sequence[CopiedStream]
    objects: int
    object_bytes: int
    sums: str

    def write(self, folder: Path) -> None:
        """Writes it, at once or not at all: a folder that has it is a whole backup."""
        fresh = folder / f"{MANIFEST}.new"
        fresh.write_text(json.dumps(asdict(self), indent=2), encoding="utf-8")
        fresh.replace(folder / MANIFEST)


def read_manifest(folder: Path) -> tuple[Manifest, str]:
    """Reads the manifest of a backup; gives its own SHA-256 as well.

    Raises:
        BackupError: There is no whole backup, or one of another format.
    """
    try:
        data = (folder / MANIFEST).read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        raise BackupError(
            f"{folder} holds no whole backup, since it has no {MANIFEST}; name the folder of "
            "a backup that came to its end."
        ) from None
    try:
        fields = json.loads(data)
        if fields["format"] != FORMAT:
            raise BackupError(
                f"{folder} is a backup of format {fields['format']} by maie {fields['maie']}, and "
                f"this release reads format {FORMAT}; restore it with that release."
            )
        streams = [CopiedStream(**each) for each in fields.pop("streams")]
        return Manifest(streams=streams, **fields), hashlib.sha256(data).hexdigest()
    except (ValueError, KeyError, TypeError, AttributeError):
        raise damaged(folder, MANIFEST) from None


def damaged(folder: Path, file: str) -> BackupError:
    """The error for a backup whose file is not as it was written."""
    return BackupError(
        f"The backup in {folder} is damaged: {file} is not what was written; nothing was "
        "restored. Take another backup."
    )
