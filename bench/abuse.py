"""A polite tenant beside an abusive one: how much slower its calls get.

A mesh of stages that answer at once runs all the time. Rounds in which the polite tenant is alone
and rounds in which another one abuses the gateway (bench/_abuser.py) take turns, and each is
compared with the one next to it. The polite tenant reads, lists and submits at fixed times,
whatever is answered. All processes share the machine; the abuser's has the least priority, as it
would be elsewhere.
"""

from __future__ import annotations

import asyncio
import gc
import json
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Annotated

import typer

from bench.meshes import ROOT, data_folder, empty_mesh
from bench.others import Others
from bench.report import Figure, JsonOption, Report, note
from maie.access.v1 import access_pb2 as access
from maie_cli.load.percentiles import percentile
from maie_cli.mesh.parts import GATEWAY
from maie_client import Client
from maie_core.api_keys import BOOTSTRAP_ID, new_key

PROMISED_RATIO = 2.0
CALLS_PER_SECOND = 40
# Every so many calls one is a submit.
SUBMIT_EVERY = 10
SETTLE_SECONDS = 2.0
SCOPES = (access.SCOPE_SUBMIT, access.SCOPE_READ, access.SCOPE_LIVE)
UNLIMITED = {
    "MAIE_GATEWAY_LIMIT_REQUESTS_PER_SECOND": "1000000",
    "MAIE_GATEWAY_LIMIT_REQUESTS_BURST": "1000000",
    "MAIE_GATEWAY_LIMIT_STREAMS": "1000000",
}

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
def main(
    rounds: Annotated[int, typer.Option(help="How many rounds of each kind.")] = 8,
    seconds: Annotated[float, typer.Option(help="How long a round is.")] = 15.0,
    limits: Annotated[bool, typer.Option(help="Whether the gateway limits callers.")] = True,
    as_json: JsonOption = False,
) -> None:
    """Prints the p99 of a polite tenant's calls, alone and beside an abusive one."""
    asyncio.run(_measure(rounds, seconds, limits=limits)).print(as_json)


@dataclass(kw_only=True, frozen=True)
class Round:
    """The polite tenant's calls of a round.

    Attributes:
        read_ms: How long its reads and lists took.
        submit_ms: How long its submits took.
        failures: How many calls failed.
    """

    read_ms: list[float] = field(default_factory=list)
    submit_ms: list[float] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)


async def _measure(rounds: int, seconds: float, *, limits: bool) -> Report:
    others = Others()
    alone: list[Round] = []
    beside: list[Round] = []
    ends: Counter[str] = Counter()
    async with AsyncExitStack() as stack:
        folder = stack.enter_context(data_folder())
        address, polite, abuser = await stack.enter_async_context(_mesh(folder, limits=limits))
        await _round(polite, seconds)
        # Else this process halts now and then to look through all that it has imported.
        gc.freeze()
        for number in range(rounds):
            alone.append(await _round(polite, seconds))
            async with _abuse(address, abuser, ends):
                await asyncio.sleep(SETTLE_SECONDS)
                beside.append(await _round(polite, seconds))
            await asyncio.sleep(SETTLE_SECONDS)
            note(
                f"round {number + 1} of {rounds}: p99 of reads {_p99(alone[-1].read_ms):.1f} ms "
                f"alone, {_p99(beside[-1].read_ms):.1f} ms beside abuse"
            )
    for way, count in sorted(ends.items()):
        note(f"the abuser: {way}: {count / (rounds * (seconds + SETTLE_SECONDS)):.0f} a second")
    return Report(
        bench="abuse",
        measured="A polite tenant's calls alone, and beside a tenant that calls as fast as it can, "
        "opens hundreds of streams and uploads a byte a second; medians over the rounds.",
        settings={"rounds": rounds, "seconds": seconds, "limits": limits},
        figures=[
            *_figures("reads and lists", alone, beside, lambda each: each.read_ms),
            *_figures("submits", alone, beside, lambda each: each.submit_ms),
            Figure(
                name="polite calls that failed",
                value=sum(len(each.failures) for each in (*alone, *beside)),
                at_most=0,
            ),
            Figure(name="CPU that others took meanwhile", value=100 * others.share(), unit="%"),
        ],
    )


def _figures(
    what: str, alone: list[Round], beside: list[Round], times: Callable[[Round], list[float]]
) -> list[Figure]:
    pairs = [(_p99(times(a)), _p99(times(b))) for a, b in zip(alone, beside, strict=True)]
    return [
        Figure(name=f"p50 of {what} alone", value=median(_all(alone, times)), unit="ms"),
        Figure(name=f"p50 of {what} beside abuse", value=median(_all(beside, times)), unit="ms"),
        Figure(name=f"p99 of {what} alone", value=median(a for a, _ in pairs), unit="ms"),
        Figure(name=f"p99 of {what} beside abuse", value=median(b for _, b in pairs), unit="ms"),
        Figure(
            name=f"p99 of {what}: beside abuse over alone",
            value=median(b / a for a, b in pairs),
            at_most=PROMISED_RATIO,
        ),
    ]


def _all(rounds: list[Round], times: Callable[[Round], list[float]]) -> list[float]:
    return [each for of in rounds for each in times(of)]


def _p99(values: list[float]) -> float:
    return percentile(values, 99)


async def _round(polite: Client, seconds: float) -> Round:
    """Makes calls at fixed times, whether or not earlier ones were answered."""
    found = Round()
    known = (await polite.create_job(_sound(), features=["raw_transcript"])).job_id
    begin, calls = time.perf_counter(), []

    async def read() -> None:
        await polite.get_job(known)

    async def listing() -> None:
        async for _ in polite.list_jobs():
            break

    async def submit() -> None:
        await polite.create_job(_sound(), features=["raw_transcript"])

    for number in range(round(seconds * CALLS_PER_SECOND)):
        due = begin + number / CALLS_PER_SECOND
        await asyncio.sleep(max(0.0, due - time.perf_counter()))
        is_submit = number % SUBMIT_EVERY == 0
        call = submit if is_submit else (read if number % 2 else listing)
        times = found.submit_ms if is_submit else found.read_ms
        calls.append(asyncio.create_task(_timed(call, due, times, found.failures)))
    await asyncio.gather(*calls)
    return found


async def _timed(
    call: Callable[[], Awaitable[None]], due: float, times: list[float], failures: list[str]
) -> None:
    try:
        await call()
    except Exception as error:  # noqa: BLE001 - every failure counts
        failures.append(str(error))
        note(f"a polite call failed: {error}")
    times.append(1000 * (time.perf_counter() - due))


async def _sound() -> AsyncIterator[bytes]:
    yield b"x" * 64_000


@asynccontextmanager
async def _mesh(folder: Path, *, limits: bool) -> AsyncIterator[tuple[str, Client, str]]:
    """A mesh; gives its gateway's address, the polite tenant's client and the abuser's key."""
    file, bootstrap = folder / "bootstrap", new_key(BOOTSTRAP_ID).text
    file.write_text(bootstrap)
    environment = {
        "MAIE_GATEWAY_BOOTSTRAP_KEY_FILE": str(file),
        "MAIE_LOG_LEVEL": "warning",
        **({} if limits else UNLIMITED),
    }
    async with AsyncExitStack() as stack:
        parts = await stack.enter_async_context(
            empty_mesh(folder / "mesh", sync_always=False, environment=environment)
        )
        address = parts[GATEWAY].part.address
        admin = await stack.enter_async_context(Client(address, token=bootstrap))
        keys = [await admin.keys.create(scopes=SCOPES, tenant=each) for each in ("polite", "rude")]
        polite = await stack.enter_async_context(Client(address, token=keys[0].api_key))
        yield address, polite, keys[1].api_key


@asynccontextmanager
async def _abuse(address: str, key: str, ends: Counter[str]) -> AsyncIterator[None]:
    """Abuses the gateway while the context lasts."""
    child = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "bench._abuser", address),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        cwd=ROOT,
    )
    assert child.stdin
    assert child.stdout
    try:
        child.stdin.write(f"{key}\n".encode())
        await child.stdout.readline()
        yield
        child.stdin.close()
        ends.update(json.loads(await child.stdout.readline()))
        await child.wait()
    finally:
        if child.returncode is None:
            child.kill()
            await child.wait()


if __name__ == "__main__":
    app()
