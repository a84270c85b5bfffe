"""Damaged recordings through a whole mesh: each is read, or refused with a reason."""

from __future__ import annotations

import asyncio
import os
from collections import Counter
from collections.abc import Callable

import pytest

from maie.job.v1 import job_pb2 as job
from maie_client import Client, ClientError
from maie_core.codes import Code
from maie_core.reasons import Reason
from tests.attacks.conftest import Besieged, run_job
from tests.attacks.test_audio import content_of
from tests.fuzz.mutations import mutated

pytestmark = pytest.mark.mesh

# One of each mutation and more; `make fuzz` takes hundreds.
INPUTS = int(os.environ.get("FUZZ_RECORDINGS", "36"))
AT_ONCE = 8


async def outcome(client: Client, number: int) -> str:
    """What comes of one recording: COMPLETE, the reason for which it is refused, or a FAULT."""
    name, content = mutated(number)
    try:
        ended = await run_job(client, content_of(content or b"\0"))
    except ClientError as error:
        return f"FAULT {name}: {error}"
    if ended.state == job.JOB_STATE_COMPLETE:
        return "COMPLETE"
    reason = Reason[ended.failures[0].reason]
    if ended.state == job.JOB_STATE_FAILED and reason.code is Code.INVALID_ARGUMENT:
        return reason.value
    return f"FAULT {name}: {ended.failures}"


@pytest.mark.timeout(3600)
async def test_damaged_recordings_are_read_or_refused(
    mesh: Besieged, record_property: Callable[..., None]
) -> None:
    record_property("inputs", INPUTS)
    found: Counter[str] = Counter()
    async with mesh.client(mesh.ours) as client:
        for start in range(0, INPUTS, AT_ONCE):
            numbers = range(start, min(start + AT_ONCE, INPUTS))
            found.update(await asyncio.gather(*(outcome(client, each) for each in numbers)))
    faults = [each for each in found if each.startswith("FAULT")]
    record_property("crashes", len(faults))
    print(f"{INPUTS} damaged recordings: {dict(found)}")
    assert faults == []
    assert found["COMPLETE"] < INPUTS
    assert len(found) > 2
