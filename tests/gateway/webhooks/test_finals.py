"""Finals of live sessions reach receivers, in the order of each track."""

from __future__ import annotations

import asyncio

import pytest
from aiohttp import web

from maie.job.v1 import job_pb2 as job
from maie_gateway.webhooks import TenantWebhook
from maie_runtime.bus import subjects
from tests.gateway.webhooks.mail import QUICK, Mail
from tests.gateway.webhooks.meeting import Meeting
from tests.gateway.webhooks.receiver import SECRET, Receiver, accept, finished
from tests.waiting import PATIENCE_SECONDS, until

pytestmark = pytest.mark.mesh


def firsts(ids: list[str], track: str = "t01") -> list[str]:
    """The ids of a track's events, each where it came first."""
    return [each for each in dict.fromkeys(ids) if f"/{track}-" in each]


async def test_finals_come_once_signed_and_in_order(mail: Mail, receiver: Receiver) -> None:
    meeting = await Meeting.begin(mail.broker, receiver.url)
    async with mail.all():
        for _ in range(3):
            await meeting.say(2)
            await meeting.settle()
        await receiver.wait_for(6)
        await mail.empty(subjects.FINALS)
    assert receiver.ids == meeting.ids(6)
    assert all(request.signed for request in receiver.received)
    assert await mail.letters() == []


async def test_the_event_is_the_final_as_the_client_gets_it(mail: Mail, receiver: Receiver) -> None:
    meeting = await Meeting.begin(mail.broker, receiver.url)
    async with mail.all(source="urn:maie:test"):
        await meeting.say()
        await receiver.wait_for(1)
    event = receiver.received[0].event
    assert event.pop("time").startswith("20")
    assert event == {
        "specversion": "1.0",
        "type": "maie.live.final.v1",
        "source": "urn:maie:test",
        "id": f"{meeting.session_id}/t01-u0001",
        "subject": meeting.session_id,
        "datacontenttype": "application/json",
        "data": {
            "track": "speaker 1",
            "segment": {
                "segment_id": "t01-u0001",
                "end_offset": "1.500s",
                "text": "Sentence 1.",
                "words": [{"word": "Sentence", "end_offset": "0.500s", "confidence": 0.5}],
                "confidence": 0.5,
                "channel": 0,
                "track": 1,
            },
            "language_code": "en",
            "reason": "END_REASON_SILENCE",
            "latency": "0.250s",
            "punctuated": False,
        },
    }


async def test_only_receivers_that_ask_for_finals_get_them(mail: Mail, receiver: Receiver) -> None:
    jobs_only = job.WEBHOOK_EVENT_JOB_FINISHED
    async with Receiver().running() as others, Receiver().running() as of_tenant:
        hooks = [
            {"name": "crm", "url": of_tenant.url, "secret": SECRET, "events": ["live_final"]},
            {"name": "log", "url": others.url, "secret": SECRET},
        ]
        tenants = {"acme": tuple(TenantWebhook.model_validate(hook) for hook in hooks)}
        async with mail.all(tenants=tenants):
            for events in ((), (jobs_only,)):
                silent = await Meeting.begin(mail.broker, others.url, events=events)
                await silent.say(2)
            meeting = await Meeting.begin(mail.broker, receiver.url, tenant="acme")
            await meeting.say(2)
            await receiver.wait_for(2)
            await of_tenant.wait_for(2)
            await mail.empty(subjects.FINALS)
        assert of_tenant.ids == receiver.ids == meeting.ids(2)
        assert all(request.signed for request in of_tenant.received)
        assert others.received == []


async def test_a_receiver_that_was_down_gets_all_finals_in_order(mail: Mail) -> None:
    receiver = Receiver()
    meeting = await Meeting.begin(mail.broker, receiver.url, tracks=2)
    async with mail.all(breaker_failures=2):
        for track in (1, 2, 1, 2):
            await meeting.say(10, track)
        # However many finals wait, a track holds two notes at most: one that is retried, one more.
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not 2 <= await mail.waiting(subjects.FINALS) <= 4:
                await asyncio.sleep(0.05)
        async with receiver.running():
            await receiver.wait_for(40)
            await meeting.say(1, 2)
            await mail.empty(subjects.FINALS)
    assert len(receiver.ids) == 41
    assert firsts(receiver.ids, "t01") == meeting.ids(20, 1)
    assert firsts(receiver.ids, "t02") == meeting.ids(21, 2)
    assert await mail.letters() == []


async def test_a_final_that_fails_holds_back_its_own_track_and_receiver_only(
    mail: Mail, receiver: Receiver
) -> None:
    well = asyncio.Event()

    async def answer(number: int) -> web.StreamResponse:
        bad = "/t01-" in receiver.received[number - 1].event["id"] and not well.is_set()
        return web.Response(status=500) if bad else await accept(number)

    receiver.answer = answer
    async with Receiver().running() as another, mail.all(breaker_failures=1000):
        meeting = await Meeting.begin(mail.broker, receiver.url, another.url, tracks=2)
        for _ in range(4):
            await meeting.say(1, 1)
            await meeting.say(1, 2)
        second = await Meeting.begin(mail.broker, receiver.url, tracks=3)
        await second.say(2, 3)
        await another.wait_for(8)
        await until(lambda: len(firsts(receiver.ids, "t02")) == 4)
        await until(lambda: firsts(receiver.ids, "t03") == second.ids(2, 3))
        assert set(firsts(receiver.ids)) == {meeting.ids(1)[0]}
        well.set()
        await mail.empty(subjects.FINALS)
    assert firsts(receiver.ids) == firsts(another.ids) == meeting.ids(4)
    assert firsts(receiver.ids, "t02") == firsts(another.ids, "t02") == meeting.ids(4, 2)
    assert len(another.ids) == 8


async def test_a_receiver_that_hangs_takes_nothing_from_others(
    mail: Mail, receiver: Receiver
) -> None:
    well = asyncio.Event()

    async def hang(number: int) -> web.StreamResponse:
        if "/t0" in receiver.received[number - 1].event["id"]:
            await well.wait()
        return await accept(number)

    receiver.answer = hang
    # As many places as its tracks could take.
    options = {**QUICK, "timeout_seconds": 60, "concurrency": 3, "concurrency_per_receiver": 2}
    async with Receiver().running() as another, mail.all(**options):
        slow = await Meeting.begin(mail.broker, receiver.url, tracks=8)
        for track in range(1, 9):
            await slow.say(2, track)
        await until(lambda: receiver.inside == 2)
        quick = await Meeting.begin(mail.broker, another.url)
        await quick.say(5)
        await another.wait_for(5)
        # Finished jobs have places of their own, at the same receiver, too.
        await mail.finish(finished("job-1", receiver.url))
        await mail.finish(finished("job-2", another.url))
        await mail.empty()
        assert receiver.inside == receiver.most_inside - 1 == 2
        well.set()
        await mail.empty(subjects.FINALS)
    assert {f"{name}/JOB_STATE_FAILED/3" for name in ("job-1", "job-2")} <= {
        *receiver.ids,
        *another.ids,
    }
    for track in range(1, 9):
        assert firsts(receiver.ids, f"t0{track}") == slow.ids(2, track)


async def test_gateways_share_the_feeds_and_keep_their_order(
    mail: Mail, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Each turn is over after one final, so that the feeds go from gateway to gateway.
    monkeypatch.setattr("maie_gateway.webhooks.finals.turn.TURN_SECONDS", 0.0)
    meeting = await Meeting.begin(mail.broker, receiver.url, tracks=3)
    for _ in range(8):
        for track in (1, 2, 3):
            await meeting.say(1, track)
    async with mail.all(), mail.all(), mail.all():
        await meeting.say(4, 2)
        await mail.empty(subjects.FINALS)
    assert len(receiver.ids) == 28
    for track, count in ((1, 8), (2, 12), (3, 8)):
        assert firsts(receiver.ids, f"t0{track}") == meeting.ids(count, track)
