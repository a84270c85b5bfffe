"""What makes a mesh seen and guarded, to be turned on one by one: metrics, traces, API keys."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import AsyncIterator, Collection, Iterator
from contextlib import asynccontextmanager, contextmanager
from enum import StrEnum
from pathlib import Path
from typing import Annotated
from urllib.request import urlopen

import typer

from maie.access.v1 import access_pb2 as access
from maie_cli.mesh.layout import Layout
from maie_client import Client
from maie_core.api_keys import BOOTSTRAP_ID, new_key
from maie_runtime.background import background_tasks

# As in deploy/observability/prometheus.yaml.
SCRAPE_SECONDS = 15.0
SCOPES = (access.SCOPE_SUBMIT, access.SCOPE_READ, access.SCOPE_LIVE)
BOOTSTRAP_FILE = "bootstrap"


class Observing(StrEnum):
    """What can be turned on."""

    METRICS = "metrics"
    TRACES = "traces"
    KEYS = "keys"


OnOption = Annotated[
    list[Observing] | None, typer.Option(help="What is on; again for more. All by default.")
]
"""The option of a bench that says what is on."""


@contextmanager
def collector() -> Iterator[str]:
    """HOST:PORT of a collector that keeps nothing, in a process of its own."""
    process = subprocess.Popen(
        [sys.executable, "-m", "bench._collector"], stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        yield process.stdout.readline().strip()
    finally:
        process.terminate()
        process.wait()


def settings(on: Collection[Observing], folder: Path, collector: str) -> dict[str, str]:
    """The settings of all parts with which these are on and the others are off.

    All traces are recorded, and sent as often as the SDK does by default.

    Args:
        on: What is on.
        folder: Is made, for the key with which the first keys are made.
        collector: HOST:PORT of the collector.
    """
    folder.mkdir(parents=True)
    found: dict[str, str] = {}
    if Observing.METRICS in on:
        found["MAIE_METRICS_LISTEN"] = "127.0.0.1:0"
    if Observing.TRACES in on:
        found["OTEL_EXPORTER_OTLP_ENDPOINT"] = f"http://{collector}"
    if Observing.KEYS in on:
        file = folder / BOOTSTRAP_FILE
        file.write_text(new_key(BOOTSTRAP_ID).text)
        found["MAIE_GATEWAY_BOOTSTRAP_KEY_FILE"] = str(file)
    return found


@asynccontextmanager
async def observed(
    on: Collection[Observing], folder: Path, address: str, layout: Layout, parts: Collection[str]
) -> AsyncIterator[str]:
    """Reads the metrics of a mesh again and again while the context lasts, where they are on.

    Args:
        on: What is on.
        folder: As for `settings`.
        address: HOST:PORT of the gateway.
        layout: The mesh's folder.
        parts: The names of the processes that run, of all that were planned.

    Yields:
        An API key of a tenant; empty where keys are off, and the kernel says who calls.
    """
    scraping = [_scrape(layout.metrics_file, parts)] if Observing.METRICS in on else []
    async with background_tasks(*scraping):
        yield await _key(folder, address) if Observing.KEYS in on else ""


async def _key(folder: Path, address: str) -> str:
    bootstrap = await asyncio.to_thread((folder / BOOTSTRAP_FILE).read_text)
    async with Client(address, token=bootstrap) as admin:
        return (await admin.keys.create(scopes=SCOPES, tenant="measured")).api_key


async def _scrape(file: Path, parts: Collection[str]) -> None:
    groups = json.loads(await asyncio.to_thread(file.read_text))
    addresses = [group["targets"][0] for group in groups if group["labels"]["part"] in parts]
    while True:
        for address in addresses:
            await asyncio.to_thread(_read, address)
        await asyncio.sleep(SCRAPE_SECONDS)


def _read(address: str) -> None:
    with urlopen(f"http://{address}/metrics") as answer:
        answer.read()
