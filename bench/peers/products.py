"""How other products are started: in an environment of their own, with maie's weights."""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.meshes import ROOT

PYTHON = ROOT / ".venv-peers" / "bin" / "python"
START_SECONDS = 600.0
STOP_SECONDS = 10.0


@dataclass(kw_only=True, frozen=True, slots=True)
class Product:
    """A product.

    Attributes:
        name: Its name on PyPI.
        command: Its server's command line for a port, a model and a recording to warm it up.
    """

    name: str
    command: Callable[[int, Path, Path], tuple[str, ...]]


def _whisper_live(port: int, model: Path, warm_up: Path) -> tuple[str, ...]:
    del warm_up  # it has no such option
    return (str(PYTHON), str(ROOT / "bench/peers/_whisper_live.py"), str(port), str(model))


def _whisperlivekit(port: int, model: Path, warm_up: Path) -> tuple[str, ...]:
    options = {
        "--host": "127.0.0.1",
        "--port": str(port),
        "--model_dir": str(model),
        "--model": "tiny.en",
        "--lan": "en",
        "--backend": "faster-whisper",
        "--backend-policy": "localagreement",
        "--warmup-file": str(warm_up),
        "--log-level": "WARNING",
    }
    words = (word for option in options.items() for word in option)
    return (str(PYTHON), "-m", "whisperlivekit.basic_server", "--pcm-input", *words)


PRODUCTS = (
    Product(name="whisper-live", command=_whisper_live),
    Product(name="whisperlivekit", command=_whisperlivekit),
)


@asynccontextmanager
async def running(
    product: Product, model: Path, warm_up: Path, folder: Path
) -> AsyncIterator[tuple[str, int]]:
    """A product's server; gives its address and its process.

    Args:
        product: The product.
        model: The folder of a CTranslate2 model.
        warm_up: A recording of speech.
        folder: The server's home, with its log.

    Raises:
        RuntimeError: It does not start.
    """
    port, log = _free_port(), folder / "server.log"
    server = await asyncio.create_subprocess_exec(
        *product.command(port, model, warm_up),
        cwd=folder,
        env=_environment(folder),
        stdout=log.open("wb"),
        stderr=subprocess.STDOUT,
    )
    try:
        await _wait_ready(server, port, log)
        yield f"127.0.0.1:{port}", server.pid
    finally:
        await _stop(server)


def _environment(home: Path) -> Mapping[str, str]:
    # Nothing is fetched from a hub while something is measured.
    return {**os.environ, "HOME": str(home), "HF_HUB_OFFLINE": "1", "PYTHONPATH": ""}


async def _wait_ready(server: asyncio.subprocess.Process, port: int, log: Path) -> None:
    deadline = asyncio.get_running_loop().time() + START_SECONDS
    while True:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            late = asyncio.get_running_loop().time() > deadline
            if late or server.returncode is not None:
                last = await asyncio.to_thread(log.read_text, errors="replace")
                raise RuntimeError(f"The server does not start:\n{last[-2000:]}") from None
            await asyncio.sleep(0.2)
        else:
            writer.close()
            return


async def _stop(server: asyncio.subprocess.Process) -> None:
    if server.returncode is None:
        server.terminate()
        try:
            async with asyncio.timeout(STOP_SECONDS):
                await server.wait()
        except TimeoutError:
            server.kill()
            await server.wait()


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])
