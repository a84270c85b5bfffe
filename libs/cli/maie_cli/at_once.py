"""Work on many recordings, a limited number of them concurrently."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from maie_cli.exits import Exit

Item = TypeVar("Item")
Row = TypeVar("Row")


@dataclass(kw_only=True, frozen=True, slots=True)
class Ended(Generic[Row]):
    """A recording that ended.

    Attributes:
        row: Its row.
        code: Its exit code.
        before: Whether an earlier run had done it.
    """

    row: Row
    code: Exit = Exit.OK
    before: bool = False


async def for_each(
    items: Sequence[Item], at_once: int, work: Callable[[Item], Awaitable[None]]
) -> None:
    """Works on each item; begins in their order.

    Args:
        items: The items.
        at_once: The most in progress.
        work: The work on one; an exception ends all.
    """
    rest = iter(items)
    async with asyncio.TaskGroup() as group:
        for _ in range(min(at_once, len(items))):
            group.create_task(_work(rest, work))


async def _work(rest: Iterator[Item], work: Callable[[Item], Awaitable[None]]) -> None:
    for each in rest:
        await work(each)
