"""The examples of live speech, through a call that breaks."""

from __future__ import annotations

import shutil
import sys

import pytest

from maie_core.errors import Code, StageError
from maie_core.reasons import Reason
from tests.client.live.fake_live import Break, Truth, live_gateway
from tests.examples.programs import ROOT, Ended, run_program

pytestmark = pytest.mark.mesh

SAMPLES = b"".join(bytes([number, 0]) * 3200 for number in range(12))
"""Twelve messages of 200 ms, each of its own number."""

needs_node = pytest.mark.skipif(shutil.which("node") is None, reason="Node.js is not installed")


async def run_at(truth: Truth, *command: str) -> Ended:
    async with live_gateway(truth) as address:
        return await run_program(*command, gateway=address, stdin=SAMPLES)


def numbers(content: bytes) -> str:
    return f"{content[0]}"


@pytest.mark.parametrize("breaks", [{}, {9: "refuse"}, {16: "go_away"}])
async def test_the_python_example_prints_each_utterance(breaks: dict[int, Break]) -> None:
    truth = Truth(reads=numbers, breaks=breaks)
    ended = await run_at(truth, sys.executable, str(ROOT / "examples" / "python" / "live.py"))
    assert ended.status == 0, ended.errors
    said = [int(word) for line in ended.output.splitlines() for word in line.split()]
    assert said == [number for number in range(12) for _ in range(2)]  # it sends 100 ms
    assert len(truth.starts) == 1 + len(breaks)


@needs_node
@pytest.mark.parametrize("breaks", [{}, {9: "refuse"}, {16: "go_away"}])
async def test_the_node_example_prints_each_utterance(breaks: dict[int, Break]) -> None:
    truth = Truth(reads=numbers, breaks=breaks)
    ended = await run_at(truth, "node", str(ROOT / "examples" / "node" / "live.js"))
    assert ended.status == 0, ended.errors
    assert ended.output.splitlines() == ["0 1 2", "3 4 5", "6 7 8", "9 10 11"]
    assert len(truth.starts) == 1 + len(breaks)


@needs_node
async def test_the_node_example_prints_the_gateways_own_sentence() -> None:
    truth = Truth(refusal=StageError(Code.RESOURCE_EXHAUSTED, Reason.LIVE_BUSY, "No room."))
    ended = await run_at(truth, "node", str(ROOT / "examples" / "node" / "live.js"))
    assert (ended.status, ended.output, ended.errors) == (1, "", "No room.\n")
