"""Two ASR workers against one, on the same long recording through the same mesh.

The mesh is that of `maie up --workers asr=2`; for the runs with one worker the second is stopped.
Chunks are short, because the last one is work for one worker only.
"""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from datetime import timedelta
from statistics import median
from typing import Annotated

import typer

from bench.meshes import AS_ASKED, data_folder, through_mesh
from bench.others import Others
from bench.recordings import repeated_sample
from bench.report import Figure, JsonOption, Report, note
from maie_cli.mesh.local import LocalMesh
from maie_cli.mesh.options import MeshOptions
from maie_client import Client, JobOptions

TEMPLATE = "meeting_notes_v1"
FEATURES = ("raw_transcript", "clean_transcript", "summary")
SECOND_WORKER = "asr-2"
MIN_RATIO = 1.7

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
def main(
    seconds: Annotated[float, typer.Option(help="How long the recording is at least.")] = 600.0,
    chunk_seconds: Annotated[float, typer.Option(help="The length that chunks aim at.")] = 15.0,
    pairs: Annotated[int, typer.Option(help="How often both run, in turn.")] = 3,
    as_json: JsonOption = False,
) -> None:
    """Prints how many times as fast two workers are."""
    asyncio.run(_main(seconds, chunk_seconds, pairs, as_json))


async def _main(seconds: float, chunk_seconds: float, pairs: int, as_json: bool) -> None:
    one: list[float] = []
    two: list[float] = []
    others = Others()
    options = JobOptions(
        features=FEATURES, template_id=TEMPLATE, chunk_duration=timedelta(seconds=chunk_seconds)
    )
    async with AsyncExitStack() as stack:
        data = stack.enter_context(data_folder())
        recording = data / "recording.wav"
        length = repeated_sample(recording, seconds)
        # One worker alone would take both cores.
        one_slot = {"MAIE_ASR_SLOTS": "1", **AS_ASKED}
        chosen = MeshOptions(
            data=data / "mesh", port_base=0, workers={"asr": 2}, environment=one_slot
        )
        mesh = await stack.enter_async_context(LocalMesh(chosen, note))
        client = await stack.enter_async_context(Client(mesh.gateway))
        for number in range(pairs):
            pair = Others()
            with_two, _ = await through_mesh(client, recording, **options)
            await mesh.stop_part(SECOND_WORKER)
            with_one, _ = await through_mesh(client, recording, **options)
            await mesh.start_part(SECOND_WORKER)
            note(
                f"pair {number + 1}: two workers {with_two:.1f} s, one {with_one:.1f} s; "
                f"others took {pair.share():.0%} of the machine"
            )
            one.append(with_one)
            two.append(with_two)
    Report(
        bench="workers",
        measured="One long recording through a mesh with two ASR workers, against one.",
        settings={
            "recording_seconds": round(length, 1),
            "chunk_seconds": chunk_seconds,
            "pairs": pairs,
        },
        figures=[
            Figure(name="one worker, median", value=median(one), unit="s"),
            Figure(name="two workers, median", value=median(two), unit="s"),
            Figure(name="speed-up", value=median(one) / median(two), at_least=MIN_RATIO),
            Figure(name="speed-up of the best runs", value=min(one) / min(two)),
            Figure(name="CPU that others took meanwhile", value=100 * others.share(), unit="%"),
        ],
    ).print(as_json)


if __name__ == "__main__":
    app()
