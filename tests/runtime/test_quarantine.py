"""A suspect runs alone, and nobody waits for ever."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from maie_runtime.quarantine import Quarantine

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
    async with asyncio.timeout(5):
        await asyncio.gather(*tasks, return_exceptions=True)
        async with quarantine.place(suspect=True):
            pass
        async with quarantine.place(suspect=False):
            pass
    failed = [task.exception() for task in tasks if not task.cancelled() and task.exception()]
    assert not failed


@settings(deadline=None)
@given(UNITS)
def test_a_suspect_is_alone_whatever_comes_and_goes(units: list[tuple[bool, int, bool]]) -> None:
    asyncio.run(_run(units))


async def test_ordinary_units_run_side_by_side() -> None:
    quarantine = Quarantine()
    async with asyncio.timeout(1), quarantine.place(suspect=False), quarantine.place(suspect=False):
        pass


async def test_a_suspect_goes_before_units_that_come_later() -> None:
    quarantine = Quarantine()
    order: list[str] = []

    async def unit(name: str, suspect: bool) -> None:
        async with quarantine.place(suspect=suspect):
            order.append(name)

    async with quarantine.place(suspect=False):
        suspect = asyncio.create_task(unit("suspect", True))
        await asyncio.sleep(0)
        later = asyncio.create_task(unit("later", False))
        await asyncio.sleep(0)
        assert order == []
    await asyncio.gather(suspect, later)
    assert order == ["suspect", "later"]
