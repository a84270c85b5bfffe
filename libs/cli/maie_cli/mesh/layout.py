"""The folder of a local mesh."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from maie_cli.mesh.errors import MeshError
from maie_client.text import sendable


class Layout:
    """The folder of a local mesh.

    Attributes:
        root: The folder itself, absolute.
        run: Process ids, addresses and the broker's configuration.
        nkeys: The credentials of the parts for the broker.
        logs: One log for each part.
        blobs: Recordings and results, where they are in no other store.
        blob_url_file: The URL of the object store, where it is not `blobs`.
        nats: JetStream's files.
        metrics_file: Where the parts serve their metrics, while the mesh runs.
        read_model: The database for lists and search.
    """

    def __init__(self, root: Path) -> None:
        self.root = root.absolute()
        self.run = self.root / "run"
        self.nkeys = self.run / "nkeys"
        self.logs = self.root / "logs"
        self.blobs = self.root / "blobs"
        self.blob_url_file = self.root / "blob-url"
        self.nats = self.root / "nats"
        self.metrics_file = self.run / "metrics.json"
        self.read_model = self.root / "readmodel.db"

    def create(self) -> None:
        """Creates the folders, readable only by their owner.

        Raises:
            MeshError: They cannot be written.
        """
        if sendable(str(self.root)) != str(self.root):
            raise MeshError(
                f"The broker cannot read the name of {self.root}, which is no UTF-8; choose "
                "another folder with --data."
            )
        try:
            for folder in (self.root, self.run, self.logs, self.blobs, self.nats):
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            # It may be from a time when its files were no secrets.
            self.run.chmod(0o700)
        except OSError as error:
            raise MeshError(
                f"Cannot write to {self.root} ({error.strerror}); choose a folder with --data."
            ) from error

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Locks the folder against other meshes, until the process ends at the latest.

        Raises:
            MeshError: Another mesh is running there.
        """
        with (self.run / "lock").open("a+") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                file.seek(0)
                raise MeshError(
                    f"A mesh is running in {self.root} already (process {file.read().strip()}); "
                    "stop it, or choose another folder with --data."
                ) from None
            file.truncate(0)
            file.write(str(os.getpid()))
            file.flush()
            self._forget_parts()
            yield

    @property
    def has_jobs(self) -> bool:
        """Whether a broker has ever stored anything there."""
        return any(self.nats.iterdir())

    def health_file(self, name: str) -> Path:
        """The file in which a part says whether it serves, where it has no port for that."""
        return self.run / f"{name}.health"

    def pid_file(self, name: str) -> Path:
        """The file with a part's process id, while it runs."""
        return self.run / f"{name}.pid"

    def address_file(self, name: str) -> Path:
        """The file with a part's HOST:PORT, while the mesh runs."""
        return self.run / f"{name}.address"

    def log_file(self, name: str) -> Path:
        """A part's log file."""
        return self.logs / f"{name}.log"

    def note_pid(self, name: str, pid: int) -> None:
        """Writes a part's process id atomically."""
        written = self.run / f"{name}.pid.new"
        written.write_text(str(pid))
        written.replace(self.pid_file(name))

    def pids(self) -> dict[str, int]:
        """The process ids of the running parts."""
        found = {}
        for path in sorted(self.run.glob("*.pid")):
            with suppress(FileNotFoundError):  # it has just ended
                found[path.stem] = int(path.read_text())
        return found

    def _forget_parts(self) -> None:
        """Removes the files of a killed mesh."""
        for pattern in ("*.pid", "*.pid.new", "*.address"):
            for path in self.run.glob(pattern):
                path.unlink()
