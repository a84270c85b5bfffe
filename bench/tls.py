"""What TLS costs: a connection, a call, and the throughput of an upload, with it and without.

Servers are processes of their own on this machine, and the client runs in this one. The sides take
turns, so that whatever else the machine does meets all alike.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from pathlib import Path
from statistics import median
from typing import Annotated

import typer

from bench._health_server import MODES
from bench.meshes import data_folder, gateway_alone
from bench.others import Others
from bench.report import Figure, JsonOption, Report, note
from bench.upload import MEBIBYTE, upload
from maie_cli.certs.folder import CertificateFolder
from maie_cli.mesh.parts import GATEWAY
from maie_client import Client, Tls

LOCAL = ("localhost", "127.0.0.1")
LIFETIME = timedelta(days=1)
CALLS_A_TURN = 50
MILLISECONDS = 1000.0

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
def main(
    connections: Annotated[int, typer.Option(help="How many connections to each server.")] = 200,
    calls: Annotated[int, typer.Option(help="How many calls over one connection.")] = 2000,
    mebibytes: Annotated[int, typer.Option(help="The size of each upload.")] = 200,
    pairs: Annotated[int, typer.Option(help="How many uploads to each gateway.")] = 5,
    as_json: JsonOption = False,
) -> None:
    """Prints milliseconds of a connection and of a call, and MB/s of uploads."""
    asyncio.run(_main(connections, calls, mebibytes, pairs, as_json))


async def _main(connections: int, calls: int, mebibytes: int, pairs: int, as_json: bool) -> None:
    others = Others()
    with data_folder() as data:
        certificates = CertificateFolder(data / "certs")
        certificates.make_ca(LIFETIME)
        for part in ("gateway", "operator"):
            certificates.make(part, LOCAL, LIFETIME)
        first, each = await _small(certificates.root, connections, calls)
        note("uploads")
        plain, secure = await _uploads(data, mebibytes, pairs)
    Report(
        bench="tls",
        measured="Health checks over new connections and over one, and uploads into a gateway "
        "process with a file store: without TLS, with it, and with a certificate of the "
        "client as well (mtls).",
        settings={
            "connections": connections,
            "calls": calls,
            "megabytes": round(mebibytes * MEBIBYTE / 1e6, 1),
            "pairs": pairs,
        },
        figures=[
            *(
                Figure(name=f"{mode}: new connection and first call", value=first[mode], unit="ms")
                for mode in MODES
            ),
            *(Figure(name=f"{mode}: call, p50", value=each[mode], unit="ms") for mode in MODES),
            Figure(name="tls: more for a call", value=each["tls"] - each["plain"], unit="ms"),
            Figure(name="plain: upload, median", value=median(plain), unit="MB/s"),
            Figure(name="tls: upload, median", value=median(secure), unit="MB/s"),
            Figure(name="upload, tls over plain", value=median(secure) / median(plain)),
            Figure(name="CPU that others took meanwhile", value=100 * others.share(), unit="%"),
        ],
    ).print(as_json)


async def _small(
    certificates: Path, connections: int, calls: int
) -> tuple[dict[str, float], dict[str, float]]:
    """Median milliseconds of a first call and of each further one, by mode."""
    async with AsyncExitStack() as stack:
        places = {
            mode: await stack.enter_async_context(_server(mode, certificates)) for mode in MODES
        }
        tls = {mode: _tls(mode, certificates) for mode in MODES}
        first: dict[str, list[float]] = {mode: [] for mode in MODES}
        for _ in range(connections):
            for mode in MODES:
                async with Client(places[mode], tls=tls[mode]) as client:
                    started = time.perf_counter()
                    await client.health()
                    first[mode].append(time.perf_counter() - started)
        each: dict[str, list[float]] = {mode: [] for mode in MODES}
        clients = {
            mode: await stack.enter_async_context(Client(places[mode], tls=tls[mode]))
            for mode in MODES
        }
        for _ in range(calls // CALLS_A_TURN):
            for mode in MODES:
                for _ in range(CALLS_A_TURN):
                    started = time.perf_counter()
                    await clients[mode].health()
                    each[mode].append(time.perf_counter() - started)
    return _medians(first), _medians(each)


def _medians(seconds: dict[str, list[float]]) -> dict[str, float]:
    return {mode: MILLISECONDS * median(taken) for mode, taken in seconds.items()}


def _tls(mode: str, certificates: Path) -> Tls | None:
    if mode == "plain":
        return None
    own = certificates / "operator"
    pair = (own / "tls.crt", own / "tls.key") if mode == "mtls" else (None, None)
    return Tls(ca_file=own / "ca.crt", cert_file=pair[0], key_file=pair[1])


@asynccontextmanager
async def _server(mode: str, certificates: Path) -> AsyncIterator[str]:
    """A server in a process of its own; gives its address."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bench._health_server", mode, str(certificates)),
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        assert process.stdout is not None
        yield (await process.stdout.readline()).decode().strip()
    finally:
        process.terminate()
        await process.wait()


async def _uploads(data: Path, mebibytes: int, pairs: int) -> tuple[list[float], list[float]]:
    """MB/s of uploads without TLS and with it, in turn."""
    own = data / "certs" / "gateway"
    door = {
        "MAIE_GATEWAY_TLS_CERT_FILE": str(own / "tls.crt"),
        "MAIE_GATEWAY_TLS_KEY_FILE": str(own / "tls.key"),
    }
    size = mebibytes * MEBIBYTE
    async with AsyncExitStack() as stack:
        clients = []
        for name, environment in (("plain", {}), ("tls", door)):
            parts = await stack.enter_async_context(gateway_alone(data / name, environment))
            tls = Tls(ca_file=own / "ca.crt") if environment else None
            address = parts[GATEWAY].part.address
            clients.append(await stack.enter_async_context(Client(address, tls=tls)))
        found: tuple[list[float], list[float]] = ([], [])
        for number in range(pairs):
            for side in (0, 1) if number % 2 == 0 else (1, 0):
                found[side].append(size / 1e6 / await upload(clients[side], size))
    return found


if __name__ == "__main__":
    app()
