"""Freed memory goes back to the system."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.waiting import PATIENCE_SECONDS

pytestmark = pytest.mark.unit

# The last piece is in use, and lies behind 100 MB that are free.
GIVES_BACK = """
import asyncio
import psutil
from maie_runtime.worker.malloc import give_back_memory

held = [bytearray(b"x" * 100_000) for _ in range(1000)]
del held[:-1]
rss = lambda: psutil.Process().memory_info().rss

async def main():
    before = rss()
    giving = asyncio.create_task(give_back_memory(0.01))
    while rss() > before - 80_000_000:
        await asyncio.sleep(0.01)
    giving.cancel()

asyncio.run(main())
"""


def test_memory_that_is_free_between_pieces_in_use_is_given_back() -> None:
    subprocess.run([sys.executable, "-c", GIVES_BACK], check=True, timeout=PATIENCE_SECONDS)
