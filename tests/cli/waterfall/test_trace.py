"""`maie trace JOB` against a real gateway."""

from __future__ import annotations

import json

import pytest

from maie_core.errors import Code, StageError
from maie_core.reasons import Reason
from maie_runtime.worker.stage import StageContext
from tests.cli.test_tenant import maie
from tests.empty_stages import empty_stages
from tests.gateway.conftest import EmptyMesh
from tests.gateway.test_jobs import EVERYTHING, TEMPLATE, process, recording
from tests.waiting import until

pytestmark = pytest.mark.mesh


async def test_a_job_shows_where_its_time_went(empty_mesh: EmptyMesh) -> None:
    async def fail_once(context: StageContext) -> None:
        if context.unit == "asr.0001" and context.attempt == 1:
            raise StageError(Code.UNAVAILABLE, Reason.MODEL_UNAVAILABLE, "Try again.")

    empty_mesh.stages = empty_stages(chunks=2)
    empty_mesh.stages["asr"].hook = fail_once
    async with empty_mesh.running() as client:
        events = await process(client, features=EVERYTHING, template_id=TEMPLATE)
        job_id = events[0].accepted.job_id
        code, output, errors = await maie(client.address, "trace", job_id, COLUMNS="120")
        assert (code, errors) == (0, "")
        head, trace, _, *rows, legend = output.splitlines()
        assert head.startswith(f"{job_id}  COMPLETE  after ")
        assert trace.startswith("trace ")
        labels = [row.partition("  ")[0] for row in rows]
        assert labels[:4] == ["preprocess", "asr.0000", "asr.0001", "asr.0001 #2"]
        assert labels[-1] == "summary.reduce"
        assert rows[2].endswith("MODEL_UNAVAILABLE")
        assert "queued" in legend
        code, output, _ = await maie(client.address, "trace", job_id, "--json")
    timeline = json.loads(output)
    assert timeline["trace_id"] == trace.removeprefix("trace ")
    assert timeline["state"] == "COMPLETE"
    attempts = {(each["unit"], each["attempt"]): each for each in timeline["attempts"]}
    assert attempts["asr.0001", 1]["state"] == "QUEUED"
    assert attempts["asr.0001", 1]["failure"]["reason"] == "MODEL_UNAVAILABLE"
    second = attempts["asr.0001", 2]
    assert (second["state"], second["stage"]) == ("COMPLETED", "asr")
    assert second["worker"].startswith("asr-")
    assert second["queue_time"] < second["start_time"] <= second["end_time"]


async def test_a_job_that_runs_shows_what_has_not_ended(empty_mesh: EmptyMesh) -> None:
    async with empty_mesh.gateway() as address, empty_mesh.service("preprocess"):
        from maie_client import Client

        async with Client(address) as client:
            accepted = await client.create_job(recording(), features=["raw_transcript"])
            await until(lambda: empty_mesh.stages["preprocess"].runs)
            while (await client.get_job(accepted.job_id)).progress[0].fraction < 1:
                pass
        code, output, _ = await maie(address, "trace", accepted.job_id, COLUMNS="100")
    assert code == 0
    assert "PROCESSING_ASR  for" in output
    assert "not ended" in output
    assert "asr.0000" in output


async def test_no_job_is_one_line(gateway: str) -> None:
    job_id = "0199a000-7f31-7c11-8a54-0d5d4c1f0a11"
    code, output, errors = await maie(gateway, "trace", job_id)
    assert (code, output) == (2, "")
    assert errors.count("\n") == 1
    assert job_id in errors
