"""Faults of an S3 server: it is busy, slow, cut off, damages what it is sent or gives, or dies."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from maie_client import ClientError
from tests.chaos.fault import Fault
from tests.chaos.requests import RETRY_SECONDS
from tests.chaos.storage import take_up_failed
from tests.chaos.world import Bucket, Store, World, now
from tests.s3.proxy import Wrong
from tests.s3.server import no_s3_server

WRONG_SECONDS = (2.0, 6.0)
DEAD_SECONDS = (0.5, 4.0)
# Some of the answers, or all of them.
SHARES = (0.3, 1.0)
RECORDING = b"a recording that is read while its bucket is broken"
UNAVAILABLE, CORRUPT = "BLOB_STORE_UNAVAILABLE", "BLOB_CORRUPT"
NAMES = {
    Wrong.BUSY: "bucket: 503",
    Wrong.SLOW: "bucket: slow answers",
    Wrong.HUNG: "bucket: no answers",
    Wrong.RESET: "bucket: connections reset",
    Wrong.CUT: "bucket: reads broken off",
    Wrong.SHORT: "bucket: truncated reads",
    Wrong.DAMAGED: "bucket: damaged reads",
    Wrong.DAMAGED_WRITE: "bucket: damaged writes",
}
DAMAGE = (Wrong.SHORT, Wrong.DAMAGED)


def _answers(wrong: Wrong) -> Fault:
    """Answers are wrong for a while, during which jobs are submitted and audio is read."""
    reasons = {UNAVAILABLE, CORRUPT} if wrong in DAMAGE else {UNAVAILABLE}

    async def happen(world: World) -> str | None:
        proxy = _bucket(world).proxy

        async def broken() -> None:
            before = proxy.made[wrong]
            proxy.share = world.chance.choice(SHARES)
            proxy.wrong = wrong
            await asyncio.sleep(world.chance.uniform(*WRONG_SECONDS))
            while proxy.made[wrong] == before:
                await asyncio.sleep(RETRY_SECONDS)
            proxy.wrong = None

        return await _used_meanwhile(world, broken, reasons)

    return _fault(NAMES[wrong], happen, reasons)


async def _killed(world: World) -> str | None:
    """The server is killed and started again on what it has stored."""
    server = _bucket(world).server

    async def broken() -> None:
        server.kill()
        await asyncio.sleep(world.chance.uniform(*DEAD_SECONDS))
        await asyncio.to_thread(server.start)

    return await _used_meanwhile(world, broken, {UNAVAILABLE})


async def _used_meanwhile(
    world: World, broken: Callable[[], Awaitable[None]], reasons: set[str]
) -> str | None:
    """Breaks a bucket while it is used; says what was wrong with an answer of the gateway."""
    stored = await world.must_submit(RECORDING)
    breaking = asyncio.ensure_future(broken())
    wrong: list[str] = []
    while not breaking.done():
        for use in (_read(world, stored), _submit(world)):
            try:
                wrong += await use
            except ClientError as error:
                if error.reason not in reasons or not error.message:
                    wrong.append(f"a refusal was {error.code.name} {error.reason}: {error.message}")
    await breaking
    return wrong[0] if wrong else None


async def _read(world: World, job_id: str) -> list[str]:
    content = b"".join([part.audio async for part in world.client.get_audio(job_id)])
    return [] if content == RECORDING else [f"{len(content)} wrong bytes of audio were given"]


async def _submit(world: World) -> list[str]:
    begun = now()
    await world.must_submit()
    # The others are in the load. These come no faster than they are accepted.
    await asyncio.sleep(max(0.0, RETRY_SECONDS - (now() - begun)))
    return []


def _bucket(world: World) -> Bucket:
    assert world.bucket is not None
    return world.bucket


def _fault(name: str, happen: Callable[[World], Awaitable[str | None]], reasons: set[str]) -> Fault:
    return Fault(
        name=name,
        happen=happen,
        afterwards=take_up_failed(reasons),
        store=Store.S3,
        missing=no_s3_server,
    )


BUCKET_FAULTS = (
    *(_answers(wrong) for wrong in NAMES),
    _fault("bucket: kill -9 of the server", _killed, {UNAVAILABLE}),
)
