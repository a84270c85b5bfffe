"""What it adds to live speech that a mesh is seen and guarded: metrics, traces and keys, or none.

Two meshes run all the time, whose engines answer at once, with every part a process of its own.
The same streams are spoken to them in turn. People wait from the end of what they say to its
final: half a second for the rules of turns, and then for the way and the engine, which takes
nothing here. What the way itself adds is shown as in bench/live_overhead.py: from the message that
shows the end of an utterance to its final, which is stored by then. The p99 of one round is that
of some hundred finals, so the p99 of all rounds counts.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Annotated

import typer

from bench.live_load import run
from bench.live_measures import Measured, latency_figures, measure
from bench.live_streams import Stream, toned_stream
from bench.meshes import data_folder, live_mesh, pids_of
from bench.observing import Observing, OnOption, collector, observed, settings
from bench.others import Others
from bench.report import Figure, JsonOption, Report, note
from maie_cli.load.percentiles import percentile
from maie_cli.mesh.child import Child
from maie_cli.mesh.layout import Layout
from maie_cli.mesh.parts import GATEWAY
from maie_speech.turns import turn_rules
from tests.live_engine import LoudnessDetector

PROMISED_RATIO = 1.1

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
def main(
    streams: Annotated[int, typer.Option(help="How many streams speak at once.")] = 50,
    seconds: Annotated[float, typer.Option(help="How long each is.")] = 30.0,
    rounds: Annotated[int, typer.Option(help="How many rounds each mesh has.")] = 6,
    on: OnOption = None,
    as_json: JsonOption = False,
) -> None:
    """Prints how much later finals come from a mesh that is seen and guarded."""
    asyncio.run(_measure(frozenset(on or Observing), streams, seconds, rounds)).print(as_json)


async def _measure(on: Collection[Observing], streams: int, seconds: float, rounds: int) -> Report:
    others = Others()
    spoken = [toned_stream(number, seconds) for number in range(streams)]
    async with AsyncExitStack() as stack:
        folder = stack.enter_context(data_folder())
        address = stack.enter_context(collector())
        off, seen = [
            await stack.enter_async_context(_side(folder / name, each, address, streams))
            for name, each in (("off", ()), ("on", on))
        ]
        await off.speak(spoken[: streams // 2], counted=False)
        await seen.speak(spoken[: streams // 2], counted=False)
        for number in range(rounds):
            for side in (off, seen) if number % 2 else (seen, off):
                await side.speak(spoken)
            note(f"round {number + 1} of {rounds}")
    before, after = off.measured, seen.measured
    return Report(
        bench="live_observed",
        measured=f"Live streams with {', '.join(sorted(on))} on and off, in turn, through a "
        "gateway and an engine that answers at once",
        settings={"streams": streams, "seconds": seconds, "rounds": rounds},
        figures=[
            *latency_figures("from the end of speech to a final, everything off", before.finals),
            *latency_figures("from the end of speech to a final, everything on", after.finals),
            _ratio("finals", before.finals, after.finals, PROMISED_RATIO),
            _ratio("partials", before.partials, after.partials, PROMISED_RATIO),
            *latency_figures("added by the way, everything off", before.added),
            *latency_figures("added by the way, everything on", after.added),
            _ratio("what the way adds", before.added, after.added),
            Figure(name="finals of each side", value=len(after.added)),
            Figure(
                name="streams that failed, utterances without exactly one final",
                value=sum(len(each.refused) + each.wrong_finals for each in (before, after)),
                at_most=0,
            ),
            Figure(name="CPU that others took meanwhile", value=100 * others.share(), unit="%"),
        ],
    )


def _ratio(
    what: str, before: Sequence[float], after: Sequence[float], at_most: float | None = None
) -> Figure:
    value = percentile(after, 99) / percentile(before, 99)
    return Figure(name=f"p99 of {what}, on over off", value=value, at_most=at_most)


@dataclass(kw_only=True, frozen=True)
class _Side:
    """A mesh, and what was measured of its streams so far."""

    folder: Path
    parts: Mapping[str, Child]
    key: str
    measured: Measured = field(default_factory=Measured)
    numbers: count[int] = field(default_factory=count)

    async def speak(self, streams: list[Stream], *, counted: bool = True) -> None:
        """Speaks all streams at once."""
        address, load = self.parts[GATEWAY].part.address, self.folder / f"load{next(self.numbers)}"
        done = await run(streams, address, pids_of(self.parts), load, key=self.key)
        if not counted:
            return
        detector, rules = LoudnessDetector(), turn_rules()
        found = measure(done.heard, [stream.expected(detector, rules) for stream in streams])
        self.measured.finals += found.finals
        self.measured.added += found.added
        self.measured.partials += found.partials
        self.measured.refused += found.refused
        self.measured.wrong_finals += found.wrong_finals


@asynccontextmanager
async def _side(
    folder: Path, on: Collection[Observing], collector: str, streams: int
) -> AsyncIterator[_Side]:
    environment = {
        "MAIE_ASR_LIVE_TRACKS": str(streams),
        "MAIE_GATEWAY_LIMIT_STREAMS": str(2 * streams),
        "MAIE_LOG_LEVEL": "warning",
        **settings(on, folder, collector),
    }
    data = folder / "mesh"
    async with AsyncExitStack() as stack:
        command = (sys.executable, "-m", "tests.live_engine")
        parts = await stack.enter_async_context(live_mesh(data, environment, command=command))
        address = parts[GATEWAY].part.address
        key = await stack.enter_async_context(observed(on, folder, address, Layout(data), parts))
        yield _Side(folder=folder, parts=parts, key=key)


if __name__ == "__main__":
    app()
