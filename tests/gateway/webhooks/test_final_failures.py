"""Finals that are refused, given up, replayed or removed."""

from __future__ import annotations

import asyncio

import pytest
from aiohttp import web

from maie_gateway.records.store import JobStore
from maie_gateway.webhooks import TenantWebhook, replay
from maie_gateway.webhooks.finals.feed import Feed
from maie_gateway.webhooks.finals.feeds import FeedMovedError, Feeds, Position, Standing
from maie_runtime.bus import subjects
from tests.conftest import free_port
from tests.gateway.webhooks.mail import UNTIL_GIVEN_UP, Mail, answers
from tests.gateway.webhooks.meeting import Meeting
from tests.gateway.webhooks.receiver import SECRET, Receiver, accept
from tests.measuring import Measured
from tests.waiting import PATIENCE_SECONDS

pytestmark = pytest.mark.mesh


async def test_a_refused_final_is_a_dead_letter_and_the_next_goes_on(
    mail: Mail, receiver: Receiver
) -> None:
    async def answer(number: int) -> web.StreamResponse:
        bad = receiver.received[number - 1].event["id"].endswith("u0002")
        return web.Response(status=400) if bad else await accept(number)

    receiver.answer = answer
    meeting = await Meeting.begin(mail.broker, receiver.url)
    first, second, third = meeting.ids(3)
    measured = Measured()
    async with mail.all(measured.meter, final_refusals=3):
        await meeting.say(3)
        await receiver.wait_for(5)
        await mail.empty(subjects.FINALS)
        assert receiver.ids == [first, second, second, second, third]
        (letter,) = await mail.letters()
        assert (letter.task.job_id, letter.task.unit) == (
            meeting.session_id,
            "webhook.0.t01-u0002",
        )
        assert letter.failure.reason == "RECEIVER_STATUS"
        assert "400" in letter.failure.message
        assert SECRET not in str(letter)
        receiver.answer = accept
        await replay(mail.broker, letter)
        await receiver.wait_for(6)
        await mail.empty()
    assert receiver.ids[-1] == second
    assert receiver.received[-1].body == receiver.received[1].body
    assert receiver.received[-1].signed
    assert len(await mail.letters()) == 1
    counted = {
        labels["outcome"]: number
        for labels, number in measured.numbers("maie.webhook.deliveries")
        if labels["about"] == "final"
    }
    # The last attempt of the refused final gives it up; its replay is about a final, too.
    assert counted == {"delivered": 3, "failed": 2, "given_up": 1, "dropped": 0}


@pytest.mark.slow
async def test_refusals_are_counted_over_restarts(mail: Mail, receiver: Receiver) -> None:
    receiver.answer = answers(400)
    meeting = await Meeting.begin(mail.broker, receiver.url)
    await meeting.say()
    # The second try comes much later.
    async with mail.all(retry_min_seconds=5, retry_max_seconds=5):
        await receiver.wait_for(1)
        feed, feeds = Feed(session_id=meeting.session_id, receiver="0", track=1), Feeds(mail.broker)
        async with asyncio.timeout(PATIENCE_SECONDS):
            while (await feeds.position(feed)).refusals < 1:
                await asyncio.sleep(0.02)
    async with mail.all(final_refusals=2):
        await mail.empty(subjects.FINALS)
    assert len(receiver.ids) == 2
    assert len(await mail.letters()) == 1


async def test_what_fails_too_long_is_a_dead_letter(mail: Mail, receiver: Receiver) -> None:
    receiver.answer = answers(500)
    meeting = await Meeting.begin(mail.broker, receiver.url)
    async with mail.all(**UNTIL_GIVEN_UP):
        await meeting.say(2)
        await receiver.wait_for(1)
        await mail.empty(subjects.FINALS)
    letters = await mail.letters()
    assert [letter.webhook.event_id for letter in letters] == meeting.ids(2)
    assert {letter.failure.reason for letter in letters} == {"RECEIVER_STATUS"}
    assert list(dict.fromkeys(receiver.ids)) == meeting.ids(2)


async def test_a_receiver_that_is_left_alone_too_long_is_given_up_too(mail: Mail) -> None:
    meeting = await Meeting.begin(mail.broker, f"http://127.0.0.1:{free_port()}/")
    await meeting.say(2)
    async with mail.all(**{**UNTIL_GIVEN_UP, "breaker_failures": 1}):
        async with asyncio.timeout(PATIENCE_SECONDS):
            while len(await mail.letters()) < 2:
                await asyncio.sleep(0.05)
    assert {letter.failure.reason for letter in await mail.letters()} <= {
        "RECEIVER_DOWN",
        "RECEIVER_UNREACHABLE",
    }


async def test_gone_and_a_receiver_without_settings_are_given_up_at_once(
    mail: Mail, receiver: Receiver
) -> None:
    receiver.answer = answers(410)
    meeting = await Meeting.begin(mail.broker, receiver.url, tenant="acme")
    hook = {"name": "crm", "url": "http://127.0.0.1:9/", "secret": SECRET, "events": ["live_final"]}
    feed = Feed(session_id=meeting.session_id, receiver="tenant-crm", track=1)
    await meeting.say(2)
    assert TenantWebhook.model_validate(hook).events == ("live_final",)
    # As a gateway queued it that still had the receiver.
    await Feeds(mail.broker).announce(feed, 1)
    async with mail.all():
        async with asyncio.timeout(PATIENCE_SECONDS):
            while len(await mail.letters()) < 4:
                await asyncio.sleep(0.05)
    reasons = sorted(letter.failure.reason for letter in await mail.letters())
    assert reasons == ["RECEIVER_STATUS"] * 2 + ["WEBHOOK_UNKNOWN"] * 2
    assert receiver.ids == meeting.ids(2)


async def test_nothing_is_sent_of_a_session_whose_job_is_gone(
    mail: Mail, receiver: Receiver
) -> None:
    meeting = await Meeting.begin(mail.broker, receiver.url)
    await meeting.say(3)
    store = JobStore(mail.broker)
    await store.delete(await store.get(meeting.session_id))
    async with mail.all():
        async with asyncio.timeout(PATIENCE_SECONDS):
            while await unnoticed(mail):
                await asyncio.sleep(0.05)
        await mail.empty(subjects.FINALS)
    assert receiver.received == []
    assert await mail.letters() == []


async def unnoticed(mail: Mail) -> int:
    """How many entries of logs the relay has before it."""
    jetstream = mail.broker.jetstream
    info = await jetstream.consumer_info(subjects.SESSIONS, subjects.FINAL_RELAY)
    return (info.num_pending or 0) + (info.num_ack_pending or 0)


async def test_what_cannot_be_read_is_a_dead_letter(mail: Mail, receiver: Receiver) -> None:
    meeting = await Meeting.begin(mail.broker, receiver.url)
    await mail.broker.jetstream.publish(subjects.session("someone-else"), b"\xff\xff")
    await mail.broker.jetstream.publish(subjects.final("x", "0", "none"), b"")
    async with mail.all():
        await meeting.say(2)
        await receiver.wait_for(2)
        await mail.empty(subjects.FINALS)
        async with asyncio.timeout(PATIENCE_SECONDS):
            while len(await mail.letters()) < 2:
                await asyncio.sleep(0.05)
    letters = await mail.letters()
    assert {letter.failure.reason for letter in letters} == {"UNREADABLE"}
    assert {letter.task.job_id for letter in letters} == {"someone-else", "x"}


async def test_the_first_note_holds_a_feed_and_the_last_one_waits(mail: Mail) -> None:
    feed = Feed(session_id="session", receiver="0", track=1)
    feeds = Feeds(mail.broker)
    for place in (1, 2, 2, 3):
        await feeds.announce(feed, place)
    await feeds.announce(Feed(session_id="session", receiver="0", track=2), 1)
    standings = [await feeds.standing(feed, note) for note in (1, 2, 3)]
    assert standings == [Standing.FIRST, Standing.NEEDLESS, Standing.WAITS]
    await feeds.requeue(feed, 1)
    assert await feeds.standing(feed, 1) is Standing.NEEDLESS
    assert await feeds.standing(feed, 3) is Standing.NEEDLESS
    assert await feeds.standing(feed, 5) is Standing.FIRST
    assert await mail.waiting(subjects.FINALS) == 2


async def test_a_gateway_that_lost_a_feed_moves_it_no_more(mail: Mail) -> None:
    feed = Feed(session_id="session", receiver="0", track=1)
    feeds = Feeds(mail.broker)
    late = Position()
    first = await feeds.move(feed, late, 7)
    with pytest.raises(FeedMovedError):
        await feeds.move(feed, late, 9)
    await feeds.move(feed, first, 8, refusals=1)
    found = await feeds.position(feed)
    assert (found.place, found.refusals) == (8, 1)
