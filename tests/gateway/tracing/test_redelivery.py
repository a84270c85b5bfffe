"""A worker that is killed leaves a trace that says so."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from maie_client import Client
from maie_runtime.bus.broker import Broker
from tests.collector import Collector
from tests.conftest import NatsServer
from tests.gateway.conftest import EmptyMesh
from tests.gateway.test_jobs import recording
from tests.gateway.tracing.test_job_traces import attempt, finished
from tests.runtime.test_worker_process import ACK_WAIT, taken, worker_process

pytestmark = pytest.mark.mesh


async def test_a_redelivered_unit_says_so_and_follows_its_message(
    empty_mesh: EmptyMesh,
    collector: Collector,
    nats_server: NatsServer,
    broker: Broker,
    tmp_path: Path,
) -> None:
    empty_mesh.mesh = empty_mesh.mesh.model_copy(update={"ack_wait_seconds": ACK_WAIT})
    async with (
        empty_mesh.gateway() as address,
        Client(address) as client,
        empty_mesh.service("preprocess"),
    ):
        async with worker_process(nats_server, tmp_path, HOOK="wait") as process:
            accepted = await client.create_job(recording(), features=["raw_transcript"])
            await taken(broker)
            process.send_signal(signal.SIGKILL)
            await process.wait()
        async with empty_mesh.service("asr"):
            await finished(collector)
        timeline = await client.get_timeline(accepted.job_id)
    # The killed worker reports nothing; the one that took its unit says how it came by it.
    unit = attempt(collector, "asr.0000")
    assert unit.attributes["maie.delivery"] == 2
    assert unit.attributes["maie.suspect"] is True
    message = await collector.one("publish maie.task.asr.batch")
    assert message.span_id in unit.links
    create = await collector.one("maie.job.v1.JobService/CreateJob")
    assert (unit.trace_id, unit.parent_id) == (create.trace_id, create.span_id)
    # The time with the lost worker is time that the unit waited.
    queue = collector.children(unit)[0]
    assert (queue.name, queue.seconds >= ACK_WAIT * 0.9) == ("maie.queue", True)
    deliveries = {each.unit: each.deliveries for each in timeline.attempts}
    assert deliveries == {"preprocess": 1, "asr.0000": 2}
