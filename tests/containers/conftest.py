"""Containers on podman's socket; tests are skipped, with the reason, where it cannot run them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest
from testcontainers.core.config import testcontainers_config
from testcontainers.core.container import DockerContainer
from testcontainers.core.wait_strategies import LogMessageWaitStrategy

from tests.containers.engine import podman_socket, problem

Run = Callable[[str, list[str], str], AbstractContextManager[None]]


@pytest.fixture(scope="session")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of Docker's API."""
    if missing := problem():
        pytest.skip(missing)
    with podman_socket(tmp_path_factory.mktemp("podman")) as address:
        yield address


@pytest.fixture
def run(engine: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs an image with a command, from when a line is in its log until the block is left.

    A container has this machine's network, runs as a user without rights, and may write to /tmp,
    and to /data, which those of one test share.
    """
    # What removes containers for a test that was killed is an image of a registry.
    monkeypatch.setattr(testcontainers_config, "ryuk_disabled", True)
    monkeypatch.setenv("DOCKER_HOST", engine)
    data = tmp_path / "data"
    data.mkdir()
    data.chmod(0o777)

    @contextmanager
    def running(image: str, command: list[str], ready: str) -> Iterator[None]:
        container = DockerContainer(image, network_mode="host", user="10001:10001", read_only=True)
        container.with_command(command).with_tmpfs_mount("/tmp")
        container.with_volume_mapping(str(data), "/data", "rw")
        container.waiting_for(LogMessageWaitStrategy(ready))
        try:
            container.start()
            yield
        finally:
            container.stop()

    return running
