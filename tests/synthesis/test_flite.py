"""Flite dies, hangs and is missing, and the service goes on or says so."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager

import pytest

from maie_core.errors import StageError
from maie_core.reasons import Reason
from maie_synthesis.engine import UnspeakableError
from maie_synthesis.engines.flite.engine import VOICES, create
from maie_synthesis.engines.flite.pool import FlitePool
from maie_synthesis.settings import SynthesisSettings
from tests.synthesis.flite import needs_flite
from tests.waiting import until

pytestmark = [pytest.mark.unit, needs_flite]

VOICE = "cmu_us_kal16"


@asynccontextmanager
async def opened(seconds: float = 30.0, size: int = 1) -> AsyncIterator[FlitePool]:
    with ThreadPoolExecutor(size) as executor:
        pool = FlitePool((VOICE,), executor, seconds)
        try:
            await pool.start(size)
            yield pool
        finally:
            pool.stop()


async def speaks(pool: FlitePool) -> bool:
    samples, rate, words = await pool.speak(b"one two three", VOICE, 1.0)
    return len(samples) > rate and len(words) == 3


async def test_a_process_that_dies_while_it_speaks_is_replaced() -> None:
    async with opened() as pool:
        (pid,) = pool.pids
        os.kill(pid, signal.SIGSTOP)
        call = asyncio.create_task(pool.speak(b"well", VOICE, 1.0))
        await asyncio.sleep(0.1)
        os.kill(pid, signal.SIGKILL)
        with pytest.raises(UnspeakableError, match="ended") as raised:
            await call
        assert not raised.value.too_slow
        assert await speaks(pool)
        assert pid not in pool.pids


async def test_a_process_that_died_before_is_replaced() -> None:
    async with opened() as pool:
        (pid,) = pool.pids
        os.kill(pid, signal.SIGKILL)
        await until(lambda: not pool.pids)
        assert await speaks(pool)


async def test_a_process_that_hangs_is_killed() -> None:
    async with opened(seconds=5.0) as pool:
        (pid,) = pool.pids
        os.kill(pid, signal.SIGSTOP)
        with pytest.raises(UnspeakableError, match="5 s") as raised:
            await pool.speak(b"well", VOICE, 1.0)
        assert raised.value.too_slow
        assert await speaks(pool)


async def test_a_cancelled_call_ends_its_process() -> None:
    async with opened() as pool:
        (pid,) = pool.pids
        os.kill(pid, signal.SIGSTOP)
        call = asyncio.create_task(pool.speak(b"well", VOICE, 1.0))
        await asyncio.sleep(0.1)
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        assert pid not in pool.pids
        assert await speaks(pool)


async def test_no_process_is_left_at_the_end() -> None:
    async with opened(size=2) as pool:
        pids = pool.pids
        assert len(pids) == 2
    for pid in pids:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


async def test_a_missing_library_is_said_with_the_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(VOICES, "gone", ("cmu_us_gone", "Nobody."))
    with pytest.raises(StageError, match="apt install libflite1") as raised:
        async with create(SynthesisSettings(slots=1)):
            pass
    assert raised.value.reason is Reason.ENGINE_NOT_INSTALLED
