"""The console's pages as Google's Lighthouse sees them, on a desk and on a phone.

A whole mesh runs with one recording that was read by the engine. Chromium then opens each page
anew, in a profile of its own; a phone is one with a slow processor and network, as Lighthouse
simulates them.
"""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from statistics import median
from typing import Annotated, Any

import typer

from bench.meshes import ROOT, data_folder, through_mesh
from bench.others import Others
from bench.readings import long_reading, write_wav
from bench.report import Figure, JsonOption, Report, note
from maie_cli.mesh.local import LocalMesh
from maie_cli.mesh.options import MeshOptions
from maie_cli.mesh.parts import WEB
from maie_client import Client
from tests.browser import CHROMIUM

LIGHTHOUSE = ROOT / ".lighthouse" / "node_modules" / "lighthouse" / "cli" / "index.js"
DEVICES: Mapping[str, tuple[str, ...]] = {"desk": ("--preset=desktop",), "phone": ()}
CATEGORIES = ("performance", "accessibility", "best-practices")
MIN_ACCESSIBILITY = 100
RECORDING_SECONDS = 60.0

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
def main(
    runs: Annotated[int, typer.Option(help="How often each page is opened; medians count.")] = 3,
    as_json: JsonOption = False,
) -> None:
    """Prints scores, of 100 each, and how soon the largest part of each page is there."""
    asyncio.run(_measure(runs)).print(as_json)


async def _measure(runs: int) -> Report:
    others = Others()
    with data_folder() as data:
        recording = data / "recording.wav"
        write_wav(recording, long_reading(RECORDING_SECONDS))
        options = MeshOptions(
            data=data / "mesh",
            port_base=0,
            web_port=0,
            environment={"MAIE_ASR_ENGINE": "whisper"},
        )
        async with LocalMesh(options, note) as mesh:
            async with Client(mesh.gateway) as client:
                await through_mesh(client, recording, features=("raw_transcript",))
                job = (await anext(client.list_jobs())).job_id
            address = f"http://{mesh.children[WEB].part.address}"
            figures = [
                figure
                for name, path in _pages(job)
                for device, switches in DEVICES.items()
                for figure in await _seen(f"{name}, {device}", address + path, switches, runs, data)
            ]
    figures.append(
        Figure(name="CPU that others took meanwhile", value=100 * others.share(), unit="%")
    )
    return Report(
        bench="lighthouse",
        measured="Pages of the console in Chromium, by Lighthouse: scores of 100, and the time to "
        "the largest part.",
        settings={"runs": runs, "recording_seconds": RECORDING_SECONDS},
        figures=figures,
    )


def _pages(job: str) -> Iterator[tuple[str, str]]:
    yield "library", "/"
    yield "recording", f"/recordings/{job}"
    yield "upload", "/upload"
    yield "live", "/live"
    yield "templates", "/templates"


async def _seen(
    name: str, address: str, switches: tuple[str, ...], runs: int, folder: Path
) -> list[Figure]:
    reports = [await _report(address, switches, folder) for _ in range(runs)]
    scores = {
        category: median(100 * each["categories"][category]["score"] for each in reports)
        for category in CATEGORIES
    }
    painted = median(each["audits"]["largest-contentful-paint"]["numericValue"] for each in reports)
    note(f"{name}: {', '.join(f'{score:.0f} for {of}' for of, score in scores.items())}")
    return [
        *(
            Figure(
                name=f"{name}: {category}",
                value=score,
                at_least=MIN_ACCESSIBILITY if category == "accessibility" else None,
            )
            for category, score in scores.items()
        ),
        Figure(name=f"{name}: largest part", value=painted / 1000, unit="s"),
    ]


async def _report(address: str, switches: tuple[str, ...], folder: Path) -> dict[str, Any]:
    """What Lighthouse says of a page.

    Raises:
        RuntimeError: Lighthouse failed.
    """
    into = folder / "lighthouse.json"
    sandbox = " --no-sandbox" if os.geteuid() == 0 else ""
    process = await asyncio.create_subprocess_exec(
        "node",
        str(LIGHTHOUSE),
        address,
        f"--only-categories={','.join(CATEGORIES)}",
        f"--chrome-flags=--headless=new{sandbox}",
        "--output=json",
        f"--output-path={into}",
        "--quiet",
        "--no-enable-error-reporting",
        *switches,
        env={**os.environ, "CHROME_PATH": str(CHROMIUM)},
    )
    if await process.wait():
        raise RuntimeError(f"Lighthouse ended with {process.returncode} at {address}.")
    report: dict[str, Any] = json.loads(into.read_text())
    if error := report.get("runtimeError"):
        raise RuntimeError(f"Lighthouse at {address}: {error['message']}")
    return report


if __name__ == "__main__":
    app()
