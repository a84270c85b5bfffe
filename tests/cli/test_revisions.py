"""`maie revisions`: the revisions of a corrected transcript."""

from __future__ import annotations

import asyncio
import json

import pytest

from maie.edit.v1 import edit_pb2 as edit
from tests.cli.command import maie_at as maie
from tests.gateway.conftest import EmptyMesh
from tests.gateway.conftest import empty_mesh as empty_mesh
from tests.web.conftest import recording

pytestmark = pytest.mark.mesh


async def test_revisions_are_listed_shown_and_restored(empty_mesh: EmptyMesh) -> None:
    async with empty_mesh.running() as client:
        events = client.process(recording(), features=["raw_transcript"])
        made = [each async for each in events][-1].finished.job
        segments = [edit.EditedSegment(text="Chapter 0.")]
        corrected = [edit.SegmentEdit(segment_ids=["c0000-s0000"], segments=segments)]
        await client.revisions.save(made.job_id, 0, corrected)

        code, printed, _ = await maie(client.address, "revisions", "restore", made.job_id, "0")
        assert (code, printed) == (0, "revision 2 is equal to revision 0\n")
        (shown, listed) = await asyncio.gather(
            maie(client.address, "revisions", "show", made.job_id, "1"),
            maie(client.address, "revisions", "list", made.job_id, "--json"),
        )
        assert (shown[0], shown[1].strip()) == (0, "Chapter 0.")
        assert [json.loads(line)["revision"] for line in listed[1].splitlines()] == [2, 1]
