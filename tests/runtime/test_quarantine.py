"""A suspect runs alone, nobody waits behind it, and nothing stays closed for ever."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maie_runtime.worker.quarantine import ClosedError, Quarantine
from tests.waiting import PATIENCE_SECONDS

pytestmark = pytest.mark.unit

UNITS = st.lists(st.tuples(st.booleans(), st.integers(0, 3), st.booleans()), max_size=12)


async def _run(units: list[tuple[bool, int, bool]]) -> None:
    quarantine = Quarantine()
    inside: list[bool] = []

    async def unit(suspect: bool, turns: int) -> None:
        async with quarantine.place(suspect=suspect):
            inside.append(suspect)
            assert len(inside) == 1 or not any(inside)
            for _ in range(turns):
                await asyncio.sleep(0)
            inside.remove(suspect)

    tasks = [asyncio.create_task(unit(suspect, turns)) for suspect, turns, _ in units]
    await asyncio.sleep(0)
    for task, (_, _, dropped) in zip(tasks, units, strict=True):
        if dropped and not task.done() and not inside:
            task.cancel()
    async with asyncio.timeout(PATIENCE_SECONDS):
        outcomes = await asyncio.gather(*tasks, return_exceptions=True)
        await quarantine.opened()
        async with quarantine.place(suspect=True):
            pass
        async with quarantine.place(suspect=False):
            pass
    assert {type(outcome) for outcome in outcomes} <= {
        type(None),
        ClosedError,
        asyncio.CancelledError,
    }


@given(UNITS)
def test_a_suspect_is_alone_whatever_comes_and_goes(units: list[tuple[bool, int, bool]]) -> None:
    asyncio.run(_run(units))


async def test_ordinary_units_run_side_by_side() -> None:
    quarantine = Quarantine()
    async with (
        asyncio.timeout(PATIENCE_SECONDS),
        quarantine.place(suspect=False),
        quarantine.place(suspect=False),
    ):
        pass


@pytest.mark.parametrize("suspect", [False, True])
async def test_a_suspect_that_waits_lets_nobody_in(suspect: bool) -> None:
    quarantine = Quarantine()

    async def run_suspect() -> None:
        async with quarantine.place(suspect=True):
            pass

    async with quarantine.place(suspect=False):
        waiting = asyncio.create_task(run_suspect())
        await asyncio.sleep(0.01)
        with pytest.raises(ClosedError):
            async with quarantine.place(suspect=suspect):
                pass
        assert not waiting.done()
    async with asyncio.timeout(PATIENCE_SECONDS):
        await waiting
        await quarantine.opened()
