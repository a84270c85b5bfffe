"""One large upload to a gateway: how fast, and how much memory the gateway takes for it.

Broker and gateway are processes of their own and there are no services, so the job waits; it is
cancelled afterwards. The client runs in this process, on the same cores.
"""

from __future__ import annotations

import asyncio
import os
import random
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from typing import Annotated

import typer

from bench.meshes import data_folder, gateway_alone
from bench.processes import peak_bytes
from bench.report import Figure, JsonOption, Report
from maie_cli.mesh.parts import GATEWAY
from maie_client import Client
from maie_gateway.settings import GatewaySettings

MEBIBYTE = 1024 * 1024
MAX_PEAK_MB = 150
PIECE_BYTES = 256 * 1024
# Pieces begin anywhere in this much noise, so that making them costs next to nothing.
NOISE_BYTES = 16 * MEBIBYTE

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
def main(
    mebibytes: Annotated[int, typer.Option(help="The size of each upload.")] = (
        GatewaySettings.model_fields["max_upload_bytes"].default // MEBIBYTE
    ),
    uploads: Annotated[int, typer.Option(help="How many uploads, one after another.")] = 3,
    as_json: JsonOption = False,
) -> None:
    """Prints MB/s of the best upload, and the gateway's peak memory over all of them."""
    asyncio.run(_main(mebibytes, uploads, as_json))


async def _main(mebibytes: int, uploads: int, as_json: bool) -> None:
    async with AsyncExitStack() as stack:
        data = stack.enter_context(data_folder())
        parts = await stack.enter_async_context(gateway_alone(data))
        client = await stack.enter_async_context(Client(parts[GATEWAY].part.address))
        before = peak_bytes(parts[GATEWAY].pid)
        seconds = [await upload(client, mebibytes * MEBIBYTE) for _ in range(uploads)]
        peak = peak_bytes(parts[GATEWAY].pid)
    size = mebibytes * MEBIBYTE / 1e6
    Report(
        bench="upload",
        measured="Random bytes through CreateJob into a gateway process with a file store.",
        settings={"megabytes": round(size, 1), "uploads": uploads},
        figures=[
            Figure(name="upload, best", value=size / min(seconds), unit="MB/s"),
            Figure(name="upload, worst", value=size / max(seconds), unit="MB/s"),
            Figure(name="gateway's memory before", value=before / 1e6, unit="MB"),
            Figure(name="gateway's peak memory", value=peak / 1e6, unit="MB", at_most=MAX_PEAK_MB),
        ],
    ).print(as_json)


async def upload(client: Client, size: int) -> float:
    """Uploads random bytes and returns how many seconds it took."""
    started = time.perf_counter()
    accepted = await client.create_job(_pieces(size), features=["raw_transcript"])
    seconds = time.perf_counter() - started
    await client.cancel_job(accepted.job_id)
    return seconds


def noise(size: int) -> Iterator[bytes]:
    """Random bytes in pieces."""
    random_bytes = os.urandom(NOISE_BYTES + PIECE_BYTES)
    for sent in range(0, size, PIECE_BYTES):
        start = random.randrange(NOISE_BYTES)
        yield random_bytes[start : start + min(PIECE_BYTES, size - sent)]


async def _pieces(size: int) -> AsyncIterator[bytes]:
    for piece in noise(size):
        yield piece


if __name__ == "__main__":
    app()
