"""What every test may use: a real NATS server, a connection to it and an empty blob store."""

from __future__ import annotations

import asyncio
import fcntl
import gc
import os
import re
import signal
import socket
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Generator, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import pytest

from maie_runtime.blobs import Blobs
from maie_runtime.bus.broker import Broker
from maie_runtime.bus.provision import open_provisioned_broker
from tests.children import zombies
from tests.waiting import PATIENCE_SECONDS

with suppress(ImportError):  # the environment of vLLM's tests has neither Hypothesis nor xdist
    from tests.properties import load_profile
    from tests.scheduling import (  # noqa: F401
        pytest_xdist_auto_num_workers,
        pytest_xdist_make_scheduler,
    )
    from tests.temporary import keep_files_in_memory

    keep_files_in_memory()
    load_profile()

NATS_SERVER = Path(sys.executable).with_name("nats-server")
# What a machine may lack, and what nobody waits for.
ONLY_WHERE_NAMED = ("gpu", "slow")
# Below those that Linux gives to outgoing connections.
PORTS = range(20_000, 32_768)
# The port that was given last, to any process of this user.
LAST_PORT = Path(tempfile.gettempdir(), f"maie-tests-port-{os.getuid()}")
MESH_TESTS = Path(__file__).with_name("mesh")


def pytest_configure() -> None:
    """Listens to Ctrl-C, as what tests start then does, too; a shell's background job does not."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Looks for no garbage while thousands of tests are imported, of which there is none."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leaves out what runs only where it is named, and puts the rest in a good order.

    The tests around whole meshes take longest: begun last, they would run alone at the end. Of the
    others, files that wait for servers come among those that compute, so that no core is idle.
    """
    for marker in ONLY_WHERE_NAMED:
        _leave_out(marker, config, items)
    waits = {item.path: item.get_closest_marker("mesh") is not None for item in items}
    places = {}
    for kind in (True, False):
        files = [path for path, waiting in waits.items() if waiting is kind]
        places.update({path: number / len(files) for number, path in enumerate(files)})
    items.sort(key=lambda item: (MESH_TESTS not in item.path.parents, places[item.path]))


def _leave_out(marker: str, config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leaves out the tests with a marker, unless the marker expression names it.

    A `-m` in addopts would be replaced by the one of the command line, and `-m unit` would bring
    such tests back.
    """
    if re.search(rf"\b{marker}\b", config.option.markexpr):
        return
    left_out = [item for item in items if item.get_closest_marker(marker)]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in left_out]


@dataclass(kw_only=True)
class NatsServer:
    """A nats-server process of a test's own, with JetStream on disk.

    Attributes:
        url: Where it answers; the same after a restart.
        config: A configuration besides, such as of who may do what.
        log: Where it writes its log; None for nowhere.
        process: The process; None while it is stopped.
    """

    port: int
    store: Path
    config: Path | None = None
    log: Path | None = None
    process: asyncio.subprocess.Process | None = None

    @property
    def url(self) -> str:
        """Where the server answers."""
        return f"nats://127.0.0.1:{self.port}"

    def command(self) -> tuple[str, ...]:
        """The command that starts it."""
        return (
            str(NATS_SERVER),
            *("--addr", "127.0.0.1", "--port", str(self.port), "--jetstream"),
            *("--store_dir", str(self.store)),
            *(("--config", str(self.config)) if self.config else ()),
            *(("--log", str(self.log)) if self.log else ()),
        )

    async def start(self) -> None:
        """Starts the server and waits until it listens."""
        self.process = await asyncio.create_subprocess_exec(
            *self.command(),
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
        )
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not await self._listens():
                await asyncio.sleep(0.02)

    async def stop(self, *, kill: bool = False) -> None:
        """Stops the server, with SIGKILL where asked."""
        if self.process is not None:
            self.process.kill() if kill else self.process.terminate()
            await self.process.wait()
            self.process = None

    async def _listens(self) -> bool:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", self.port)
        except OSError:
            return False
        writer.close()
        return True


def listens(port: int) -> bool:
    """Whether a server listens on a port of this machine."""
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


def free_port() -> int:
    """A TCP port that is free, and given to no other process of the tests soon.

    No outgoing connection gets it either, so that a server may come back to it.
    """
    with LAST_PORT.open("a+") as last:
        fcntl.flock(last, fcntl.LOCK_EX)
        last.seek(0)
        before = int(last.read() or PORTS[-1])
        port = next(filter(_is_free, _ports_after(before)))
        last.truncate(0)
        last.write(str(port))
        return port


def _ports_after(port: int) -> Iterator[int]:
    """All ports for tests, from the one after a port on."""
    following = PORTS.index(port) + 1
    return chain(PORTS[following:], PORTS[:following])


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


@pytest.fixture(autouse=True, scope="module")
def no_zombie() -> Iterator[None]:
    """Fails a file that leaves a process which nobody waits for: later files would see it."""
    yield
    late = time.monotonic() + PATIENCE_SECONDS
    while zombies():
        assert time.monotonic() < late, f"{zombies()} have ended, and nothing waits for them"
        time.sleep(0.01)


@pytest.fixture
async def nats_server(tmp_path: Path) -> AsyncIterator[NatsServer]:
    """A running nats-server."""
    async with running_nats(tmp_path) as server:
        yield server


@asynccontextmanager
async def running_nats(folder: Path) -> AsyncIterator[NatsServer]:
    """A running nats-server, whose files are in a folder."""
    server = NatsServer(port=free_port(), store=folder / "jetstream")
    await server.start()
    yield server
    await server.stop()


@pytest.fixture
async def broker(nats_server: NatsServer) -> AsyncIterator[Broker]:
    """A connection with the mesh's streams in place."""
    async with open_provisioned_broker(nats_server.url, "test") as opened:
        yield opened


@pytest.fixture
def blobs(tmp_path: Path) -> Blobs:
    """An empty blob store."""
    return Blobs(f"file://{tmp_path}/blobs")
