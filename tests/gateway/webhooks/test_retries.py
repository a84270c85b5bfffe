"""Receivers that are slow, sick or down."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest
from aiohttp import web

from tests.gateway.webhooks.mail import Mail, answers
from tests.gateway.webhooks.receiver import Receiver, accept, finished

pytestmark = pytest.mark.mesh


async def test_errors_and_redirects_are_tried_again_with_the_same_event(
    mail: Mail, receiver: Receiver
) -> None:
    receiver.answer = answers(500, 503, 429, 404, 301, 200)
    async with mail.sender(breaker_failures=100):
        await mail.finish(finished("job-1", receiver.url))
        await mail.empty()
    assert len(receiver.received) == 6
    assert len({request.body for request in receiver.received}) == 1
    assert len({request.headers["webhook-id"] for request in receiver.received}) == 1
    assert all(request.signed for request in receiver.received)


async def test_a_receiver_that_does_not_answer_in_time_is_tried_again(
    mail: Mail, receiver: Receiver
) -> None:
    async def answer(number: int) -> web.StreamResponse:
        if number == 1:
            await asyncio.Event().wait()
        return await accept(number)

    receiver.answer = answer
    async with mail.sender(timeout_seconds=1.5):
        await mail.finish(finished("job-1", receiver.url))
        await mail.empty()
    assert len(set(receiver.ids)) == 1
    assert len(receiver.ids) == 2


async def test_a_receiver_that_is_down_gets_everything_once_it_is_up(mail: Mail) -> None:
    receiver = Receiver()
    async with mail.sender(breaker_failures=3):
        for number in range(20):
            await mail.finish(finished(f"job-{number}", receiver.url))
        await asyncio.sleep(1)
        assert await mail.waiting() == 20
        async with receiver.running():
            await mail.empty()
    assert len(receiver.ids) == len(set(receiver.ids)) == 20
    assert await mail.letters() == []


@pytest.mark.slow
async def test_the_breaker_leaves_a_sick_receiver_alone_and_lets_it_back(
    mail: Mail, receiver: Receiver
) -> None:
    came: list[float] = []

    async def answer(number: int) -> web.StreamResponse:
        came.append(time.monotonic())
        return await answers(500, 500, 500, 500, 200)(number)

    receiver.answer = answer
    options: dict[str, Any] = {"breaker_failures": 4, "breaker_pause_seconds": 3}
    async with Receiver().running() as other, mail.sender(**options):
        await mail.finish(finished("job-1", receiver.url))
        await receiver.wait_for(4)
        for number in range(10):
            await mail.finish(finished(f"job-other-{number}", receiver.url, other.url))
        await other.wait_for(10)
        assert len(receiver.received) == 4
        await receiver.wait_for(5)
        assert came[4] - came[3] >= 3
        await mail.empty()
    assert len(set(receiver.ids)) == 11


async def test_a_slow_receiver_does_not_hold_up_the_others(mail: Mail, receiver: Receiver) -> None:
    go_on = asyncio.Event()

    async def answer(number: int) -> web.StreamResponse:
        await go_on.wait()
        return await accept(number)

    receiver.answer = answer
    places: dict[str, Any] = {"concurrency": 8, "concurrency_per_receiver": 2}
    patient: dict[str, Any] = {"timeout_seconds": 60}
    async with Receiver().running() as other, mail.sender(**patient, **places):
        for number in range(12):
            await mail.finish(finished(f"slow-{number}", receiver.url))
        for number in range(10):
            await mail.finish(finished(f"fast-{number}", other.url))
        await other.wait_for(10)
        go_on.set()
        await mail.empty()
    assert receiver.most_inside == 2
    assert len(receiver.ids) == len(set(receiver.ids)) == 12
