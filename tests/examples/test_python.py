"""The Python client in a program of its own."""

from __future__ import annotations

import sys

import pytest

from tests.examples.programs import ROOT, run_program
from tests.gateway.conftest import EmptyMesh

pytestmark = pytest.mark.mesh


async def test_the_python_example_prints_text_as_it_comes_and_the_transcript_at_last(
    empty_mesh: EmptyMesh,
) -> None:
    async with empty_mesh.running() as client:
        ended = await run_program(
            sys.executable,
            ROOT / "examples" / "python" / "transcribe.py",
            ROOT / "samples" / "standup.flac",
            gateway=client.address,
        )
    assert ended.status == 0, ended.errors
    assert ended.output == "Chunk 0.\n"
    assert "chunk 0" in ended.errors.splitlines()
