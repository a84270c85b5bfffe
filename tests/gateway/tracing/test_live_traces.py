"""A live session is one trace, with a span for each utterance and what its receivers get."""

from __future__ import annotations

import pytest

from maie.job.v1 import job_pb2 as job
from tests.collector import Collector
from tests.gateway.live.conftest import LiveMesh, live_mesh
from tests.gateway.live.conversation import config, talking
from tests.gateway.live.speech import said
from tests.gateway.webhooks.mail import QUICK
from tests.gateway.webhooks.receiver import SECRET, Receiver
from tests.waiting import until

__all__ = ["live_mesh"]

pytestmark = pytest.mark.mesh

CALL = "maie.live.v1.LiveService/Transcribe"
ASR_CALL = "maie.asr.v1.StreamingAsrService/StreamingRecognize"


async def test_a_session_is_one_trace_with_a_span_for_each_utterance(
    live_mesh: LiveMesh, collector: Collector
) -> None:
    live_mesh.empty.gateway_options["webhooks"] = QUICK
    receiver = Receiver()
    both = (job.WEBHOOK_EVENT_JOB_FINISHED, job.WEBHOOK_EVENT_LIVE_FINAL)
    wanted = config(webhooks=[job.Webhook(url=receiver.url, secret=SECRET, events=both)])
    wanted.keep_audio = True
    async with receiver.running(), live_mesh.talking() as (talk, _):
        started = await talk.start(wanted)
        await talk.audio("ann", said([1, 2]))
        await talk.audio("bob", said([3]))
        await talk.next("final", 3)
        await talk.end()
        await receiver.wait_for(4)
        await until(lambda: len(collector.named("POST")) == 4)
    call = await collector.one(CALL)
    session = await collector.one("maie.live.session")
    assert session.parent_id == call.span_id
    assert session.links == (call.span_id,)
    assert session.attributes == {
        "maie.job.id": started.session_id,
        "maie.tenant": "default",
        "maie.live.epoch": 1,
    }
    utterances = collector.named("maie.live.utterance")
    assert {each.parent_id for each in utterances} == {session.span_id}
    tracks = sorted(
        (each.attributes["maie.live.track"], each.attributes["maie.live.utterance"])
        for each in utterances
    )
    assert len(set(tracks)) == 3
    assert all(each.attributes["maie.audio.duration"] > 0 for each in utterances)
    # Each track is recognised in a call of its own, which carries the trace.
    calls = collector.named(ASR_CALL)
    assert [each.kind for each in calls] == ["CLIENT", "CLIENT"]
    assert {each.parent_id for each in calls} == {session.span_id}
    audio = await collector.one("maie.live.audio")
    assert audio.trace_id == call.trace_id
    # What receivers get says which span sent it.
    sent = {span.span_id: span for span in collector.named("POST")}
    for request in receiver.received:
        version, trace_id, span_id, flags = request.headers["traceparent"].split("-")
        assert (version, int(flags, 16) & 1) == ("00", 1)  # sampled
        assert sent[span_id].trace_id == trace_id
        assert sent[span_id].attributes["http.response.status_code"] == 204
        assert sent[span_id].attributes["maie.outcome"] == "delivered"
    (finished,) = [
        request for request in receiver.received if "job.finished" in request.event["type"]
    ]
    assert finished.headers["traceparent"].split("-")[1] == call.trace_id
    assert receiver.url not in collector.words()
    assert SECRET not in collector.words()


async def test_a_resumed_session_goes_on_in_its_trace(
    live_mesh: LiveMesh, collector: Collector
) -> None:
    async with live_mesh.running() as (address, _):
        async with talking(address) as talk:
            started = await talk.start()
            await talk.audio("ann", said([1]))
            await talk.next("final")
        async with talking(address) as again:
            await again.resume(started)
            await again.audio("ann", said([2]))
            await again.next("final")
            await again.end()
            await again.over.wait()
        await until(lambda: len(collector.named("maie.live.session")) == 2)
    first, second = sorted(collector.named(CALL), key=lambda span: span.start)
    assert first.trace_id != second.trace_id
    sessions = collector.named("maie.live.session")
    assert {each.trace_id for each in sessions} == {first.trace_id}
    # Each follows the call that it served.
    assert {each.links for each in sessions} == {(first.span_id,), (second.span_id,)}
