"""A recording by OpenAI's route of the web part, against gRPC at the gateway behind it.

Both ways read the same recording in one mesh, in turn, so that each is idle while the other runs.
The time runs from the first byte of the upload to the transcript at the client.
"""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from statistics import median
from typing import Annotated

import httpx
import typer

from bench.bare import words_of
from bench.meshes import data_folder, through_mesh
from bench.others import Others
from bench.readings import long_reading, write_wav
from bench.report import Figure, JsonOption, Report, note
from maie_cli.mesh.local import LocalMesh
from maie_cli.mesh.options import MeshOptions
from maie_cli.mesh.parts import WEB
from maie_client import Client

FEATURE = "raw_transcript"
MAX_RATIO = 1.05
# A recording may take as long as the machine needs.
READ_SECONDS = 3600.0

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
def main(
    seconds: Annotated[float, typer.Option(help="How long the recording is at least.")] = 60.0,
    pairs: Annotated[int, typer.Option(help="How often each way runs, in turn.")] = 5,
    as_json: JsonOption = False,
) -> None:
    """Prints how long OpenAI's route takes over how long gRPC takes."""
    asyncio.run(_main(seconds, pairs, as_json))


async def _main(seconds: float, pairs: int, as_json: bool) -> None:
    others = Others()
    with data_folder() as data:
        recording = data / "recording.wav"
        reading = long_reading(seconds)
        write_wav(recording, reading)
        options = MeshOptions(
            data=data / "mesh",
            port_base=0,
            web_port=0,
            environment={"MAIE_ASR_ENGINE": "whisper"},
        )
        async with (
            LocalMesh(options, note) as mesh,
            Client(mesh.gateway) as client,
            httpx.AsyncClient(
                base_url=f"http://{mesh.children[WEB].part.address}",
                timeout=READ_SECONDS,
                trust_env=False,
            ) as web,
        ):
            await _by_grpc(client, recording)  # the first reading loads what is loaded late
            rounds = [
                await _round(client, web, recording, grpc_first=number % 2 == 0)
                for number in range(pairs)
            ]
    by_grpc, by_route = zip(*rounds, strict=True)
    ratios = [route / grpc for grpc, route in rounds]
    Report(
        bench="openai_route",
        measured="One recording of real speech to its raw transcript, by POST "
        "/v1/audio/transcriptions of the web part and by ProcessAudio of the gateway.",
        settings={"recording_seconds": round(reading.seconds, 1), "pairs": pairs},
        figures=[
            Figure(name="gRPC, median", value=median(by_grpc), unit="s"),
            Figure(name="OpenAI's route, median", value=median(by_route), unit="s"),
            Figure(name="ratio, median of pairs", value=median(ratios), at_most=MAX_RATIO),
            Figure(name="ratio of the best runs", value=min(by_route) / min(by_grpc)),
            Figure(name="CPU that others took meanwhile", value=100 * others.share(), unit="%"),
        ],
    ).print(as_json)


async def _round(
    client: Client, web: httpx.AsyncClient, recording: Path, *, grpc_first: bool
) -> tuple[float, float]:
    """Seconds by gRPC and by OpenAI's route.

    Raises:
        RuntimeError: The texts differ: figures of ways that did different work mean nothing.
    """
    if grpc_first:
        by_grpc, text = await _by_grpc(client, recording)
        by_route, read = await _by_route(web, recording)
    else:
        by_route, read = await _by_route(web, recording)
        by_grpc, text = await _by_grpc(client, recording)
    if words_of(text) != words_of(read):
        raise RuntimeError("The two ways read different texts.")
    note(f"gRPC {by_grpc:.2f} s, OpenAI's route {by_route:.2f} s")
    return by_grpc, by_route


async def _by_grpc(client: Client, recording: Path) -> tuple[float, str]:
    taken, results = await through_mesh(client, recording, features=(FEATURE,))
    return taken, results.raw_transcript


async def _by_route(web: httpx.AsyncClient, recording: Path) -> tuple[float, str]:
    started = time.perf_counter()
    with recording.open("rb") as file:
        got = await web.post(
            "/v1/audio/transcriptions",
            files={"file": (recording.name, file)},
            data={"model": "whisper-1", "features": FEATURE},
        )
    got.raise_for_status()
    return time.perf_counter() - started, got.json()["text"]


if __name__ == "__main__":
    app()
