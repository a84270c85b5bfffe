"""One trace for a job: from the call that submits it through every attempt at its units."""

from __future__ import annotations

import asyncio
from textwrap import dedent

import pytest

from maie.job.v1 import job_pb2 as job
from maie_client import Client
from maie_core.errors import Code, StageError
from maie_core.reasons import Reason
from maie_core.trace_context import within
from maie_runtime.worker.engine_calls import engine_call
from maie_runtime.worker.stage import StageContext
from tests.collector import Collector, Seen
from tests.empty_stages import empty_stages
from tests.gateway.conftest import EmptyMesh
from tests.gateway.test_jobs import EVERYTHING, TEMPLATE, process, recording
from tests.waiting import until

pytestmark = pytest.mark.mesh

SUBMIT = "maie.job.v1.JobService/ProcessAudio"
ENGINE_SECONDS = 0.15
QUEUED_SECONDS = 0.5
# Which event brings which task depends on what waits together, and who reads first on who waits.
# Events that wait together have one span, beneath that of the first of them.
# What is quick nearly always has no span then.
VARYING = ("publish maie.task.", "process maie.event.", "maie.blob.", "maie.model.wait")

TREE = dedent("""\
    asr: process maie.task.asr.batch
      asr: maie.queue
      asr: maie.run
        asr: maie.test.engine
        asr: publish maie.event.asr
    enhancement: process maie.task.enhancement.batch
      enhancement: maie.queue
      enhancement: maie.run
        enhancement: maie.test.engine
        enhancement: publish maie.event.enhancement
    gateway: maie.submit
    gateway: maie.upload
    preprocess: process maie.task.preprocess.batch
      preprocess: maie.queue
      preprocess: maie.run
        preprocess: maie.test.engine
        preprocess: publish maie.event.preprocess
    summary: process maie.task.summary.batch
      summary: maie.queue
      summary: maie.run
        summary: maie.test.engine
        summary: publish maie.event.summary
""").splitlines()


async def _engine(_: StageContext) -> None:
    with engine_call("maie.test.engine"):
        await asyncio.sleep(ENGINE_SECONDS)


def attempt(collector: Collector, unit: str, **attributes: object) -> Seen:
    """The span of the one attempt at a unit."""
    (found,) = attempts(collector, unit, **attributes)
    return found


def attempts(collector: Collector, unit: str, **attributes: object) -> list[Seen]:
    """The spans of the attempts at a unit, in their order."""
    stage = unit.partition(".")[0]
    name = f"process maie.task.{stage}.batch"
    return sorted(collector.named(name, maie__unit=unit, **attributes), key=lambda span: span.start)


async def finished(collector: Collector, state: str = "JOB_STATE_COMPLETE") -> None:
    """Waits for the span of the gateway that brought a job to its end."""
    await until(
        lambda: [span for span in collector.spans if span.attributes.get("maie.job.state") == state]
    )


async def test_a_job_is_one_trace_from_its_call_to_its_last_unit(
    empty_mesh: EmptyMesh, collector: Collector
) -> None:
    empty_mesh.stages = empty_stages(chunks=2)
    empty_mesh.gateway_options["measure_quality"] = False
    for stage in empty_mesh.stages.values():
        stage.hook = _engine
    async with empty_mesh.running() as client:
        events = await process(client, features=EVERYTHING, template_id=TEMPLATE)
        await finished(collector)
        job_id = events[0].accepted.job_id
    # Each part has sent its last spans when it ends.
    call = await collector.one(SUBMIT)
    assert (call.kind, call.parent_id, call.failed) == ("SERVER", "", False)
    assert call.attributes == {
        "rpc.system.name": "grpc",
        "rpc.method": SUBMIT,
        "rpc.response.status_code": "OK",
        "maie.tenant": "default",
    }
    assert {span.trace_id for span in collector.spans} == {call.trace_id}
    assert collector.tree(call, left_out=VARYING) == TREE
    taken = {
        before
        for span in collector.spans
        if span.name.startswith("process maie.event.")
        for before in (span.parent_id, *span.links)
    }
    sent = {span.span_id for span in collector.spans if span.name.startswith("publish maie.event.")}
    assert sent
    assert sent <= taken
    for unit in [span for span in collector.spans if span.name.startswith("process maie.task.")]:
        stage = unit.attributes["maie.stage"]
        assert unit.kind == "CONSUMER"
        assert unit.attributes == {
            "messaging.system": "nats",
            "messaging.operation.type": "process",
            "messaging.operation.name": "process",
            "messaging.destination.name": f"maie.task.{stage}.batch",
            "messaging.destination.template": "maie.task.{stage}.{lane}.{job}.{unit}",
            "messaging.consumer.group.name": f"{stage}-batch",
            "maie.stage": stage,
            "maie.lane": "batch",
            "maie.job.id": job_id,
            "maie.unit": unit.attributes["maie.unit"],
            "maie.attempt": 1,
            "maie.tenant": "default",
            "maie.delivery": 1,
            "maie.suspect": False,
            "maie.outcome": "completed",
        }
    by_id = {span.span_id: span for span in collector.spans}
    for task in [span for span in collector.spans if span.name.startswith("publish maie.task.")]:
        assert by_id[task.parent_id].name.startswith(("maie.submit", "process maie.event."))
    # Fan-out and join: what a unit follows, besides the message that brought its task.
    cut = attempt(collector, "preprocess")
    read = [attempt(collector, f"asr.000{index}") for index in range(2)]
    assert all(cut.span_id in each.links for each in read)
    notes = [attempt(collector, f"summary.map.000{index}") for index in range(2)]
    joined = attempt(collector, "summary.reduce")
    assert {each.span_id for each in notes} <= set(joined.links)
    messages = {
        span.span_id: span
        for span in collector.named("publish maie.task.summary.batch")
        if span.attributes["maie.unit"] == "summary.reduce"
    }
    assert len(messages) == 1
    assert messages.keys() <= set(joined.links)


async def test_queueing_and_running_are_apart(empty_mesh: EmptyMesh, collector: Collector) -> None:
    empty_mesh.stages["asr"].hook = _engine
    async with (
        empty_mesh.gateway() as address,
        Client(address) as client,
        empty_mesh.service("preprocess"),
    ):
        await client.create_job(recording(), features=["raw_transcript"])
        await until(lambda: collector.named("publish maie.task.asr.batch"))
        await asyncio.sleep(QUEUED_SECONDS)
        async with empty_mesh.service("asr"):
            await finished(collector)
            await until(lambda: attempts(collector, "asr.0000"))
    unit = attempt(collector, "asr.0000")
    children = {span.name: span for span in collector.children(unit)}
    queue, run = children["maie.queue"], children["maie.run"]
    assert queue.seconds >= QUEUED_SECONDS
    assert run.seconds >= ENGINE_SECONDS
    assert queue.start == unit.start
    assert queue.end <= run.start


async def test_each_attempt_has_a_span_that_follows_the_last_one(
    empty_mesh: EmptyMesh, collector: Collector
) -> None:
    async def fail_twice(context: StageContext) -> None:
        if context.attempt < 3:
            raise StageError(Code.UNAVAILABLE, Reason.MODEL_UNAVAILABLE, "What nobody may read.")

    empty_mesh.stages["asr"].hook = fail_twice
    async with empty_mesh.running() as client:
        await process(client, features=("raw_transcript",))
        await finished(collector)
    first, second, third = attempts(collector, "asr.0000")
    assert [each.attributes["maie.attempt"] for each in (first, second, third)] == [1, 2, 3]
    assert [each.failed for each in (first, second, third)] == [True, True, False]
    assert first.attributes["error.type"] == "MODEL_UNAVAILABLE"
    assert first.span_id in second.links
    assert second.span_id in third.links
    # The pause before an attempt is time in the queue.
    queue = collector.children(third)[0]
    assert queue.seconds > 1
    assert "nobody may read" not in collector.words()


async def test_a_unit_that_is_given_up_says_so_in_its_trace(
    empty_mesh: EmptyMesh, collector: Collector
) -> None:
    async def fail(_: StageContext) -> None:
        raise StageError(Code.INVALID_ARGUMENT, Reason.AUDIO_CORRUPT, "It is broken.")

    empty_mesh.stages["preprocess"].hook = fail
    async with empty_mesh.running() as client:
        await process(client, features=("raw_transcript",))
        await finished(collector, "JOB_STATE_FAILED")
    failed = attempt(collector, "preprocess")
    assert failed.failed
    assert failed.attributes["error.type"] == "AUDIO_CORRUPT"
    (letter,) = collector.named("publish maie.dead.preprocess")
    assert letter.trace_id == failed.trace_id


async def test_a_callers_trace_is_gone_on_with(empty_mesh: EmptyMesh, collector: Collector) -> None:
    trace_id, caller = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
    async with empty_mesh.running() as client:
        with within(f"00-{trace_id}-{caller}-01"):
            await process(client, features=("raw_transcript",))
        await finished(collector)
    call = await collector.one(SUBMIT)
    assert (call.trace_id, call.parent_id) == (trace_id, caller)
    assert {span.trace_id for span in collector.spans} == {trace_id}


async def test_a_cancelled_job_ends_its_spans(empty_mesh: EmptyMesh, collector: Collector) -> None:
    async def hang(_: StageContext) -> None:
        await asyncio.Event().wait()

    empty_mesh.stages["asr"].hook = hang
    async with empty_mesh.running() as client:
        accepted = await client.create_job(recording(), features=["raw_transcript"])
        await until(lambda: empty_mesh.stages["asr"].runs)
        cancelled = await client.cancel_job(accepted.job_id)
        assert cancelled.state == job.JOB_STATE_CANCELLED
        await until(lambda: attempts(collector, "asr.0000"))
        stopped = attempt(collector, "asr.0000")
        await client.delete_job(accepted.job_id)
        await until(lambda: collector.named("maie.job.remove"))
    assert stopped.attributes["maie.outcome"] == "cancelled"
    assert not stopped.failed
    cancel = await collector.one("maie.job.cancel")
    call = await collector.one("maie.job.v1.JobService/CancelJob")
    # What a caller does to a job is in the job's trace, and follows the call.
    assert cancel.trace_id == stopped.trace_id != call.trace_id
    assert cancel.links == (call.span_id,)
    removal = await collector.one("maie.job.remove")
    create = await collector.one("maie.job.v1.JobService/CreateJob")
    assert removal.links == (create.span_id,)


async def test_a_gateway_that_restarts_goes_on_with_the_trace(
    empty_mesh: EmptyMesh, collector: Collector
) -> None:
    free = asyncio.Event()

    async def wait(_: StageContext) -> None:
        await free.wait()

    empty_mesh.stages["preprocess"].hook = wait
    async with empty_mesh.service("preprocess"), empty_mesh.service("asr"):
        async with empty_mesh.gateway() as address, Client(address) as client:
            accepted = await client.create_job(recording(), features=["raw_transcript"])
            await until(lambda: empty_mesh.stages["preprocess"].runs)
        await empty_mesh.nats.stop(kill=True)
        await empty_mesh.nats.start()
        async with empty_mesh.gateway():
            free.set()
            await finished(collector)
    create = await collector.one("maie.job.v1.JobService/CreateJob")
    for unit in ("preprocess", "asr.0000"):
        assert attempt(collector, unit).trace_id == create.trace_id
        assert attempt(collector, unit).parent_id == create.span_id
    assert accepted.job_id == attempt(collector, "asr.0000").attributes["maie.job.id"]
