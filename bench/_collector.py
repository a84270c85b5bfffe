"""A collector of traces that keeps nothing, in a process of its own; prints its address."""

from __future__ import annotations

import asyncio

from tests.collector import collecting


async def _main() -> None:
    async with collecting() as collector:
        collector.keeps = False
        print(collector.address, flush=True)
        await asyncio.Future()


if __name__ == "__main__":
    asyncio.run(_main())
