"""With the credential of each part, everything that is not its own is refused or has no effect.

`pytest -s tests/rights` prints how much was tried.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from nats.aio.msg import Msg

from maie.event.v1 import event_pb2 as event
from maie_pipeline.bindings import BINDINGS
from maie_runtime.bus import subjects
from maie_runtime.bus.broker import Broker
from maie_runtime.bus.rights import GATEWAY, MONITOR, OPERATOR, PROVISION, Use
from maie_runtime.bus.streams import STREAMS
from tests.guarded_nats import GuardedNats
from tests.rights.attempts import SHARED, all_answered, attempts, rights_of, what_is_stored
from tests.rights.subjects_of_a_mesh import GPU, JOB, covers, stored, to_publish

pytestmark = pytest.mark.mesh

VICTIM = "the record of another tenant"
OTHERS = "22222222-2222-4222-8222-222222222222"


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[GuardedNats]:
    """A guarded broker of a mesh, with a message on each subject that a stream stores."""
    server = GuardedNats(tmp_path, SHARED)
    await server.start()
    async with server.provisioned() as broker, server.connected(OPERATOR) as operator:
        for _, subject in stored():
            await operator.jetstream.publish(subject, VICTIM.encode())
        del broker
    yield server
    await server.stop()


@pytest.mark.parametrize("part", [*BINDINGS, GATEWAY, PROVISION, MONITOR])
async def test_each_subject_stream_bucket_and_call_of_others_is_refused(
    server: GuardedNats, part: str
) -> None:
    async with server.connected(OPERATOR) as operator:
        before = await what_is_stored(operator)
        made = await attempts(server, part)
        after = await what_is_stored(operator)
    assert made.let_through == []
    assert after == before
    # A worker's own are some dozen of all; a list that is empty would prove nothing.
    least = 300 if part == GATEWAY else 700
    assert len(made.published) > least
    assert len(made.heard) > 80
    print(f"{part}: {len(made.published)} to publish and {len(made.heard)} to hear, all refused")


def own_requests(part: str) -> list[str]:
    """What a part may ask, as subjects without wildcards."""
    wanted = [right for right in rights_of(part) if right.use is not Use.SUBSCRIBE]
    return [
        right.subject.replace(".>", ".x.y").replace("*", "x")
        for right in wanted
        if not right.subject.startswith("$JS.ACK")
    ]


# Where an answer must not go: into streams and buckets, and to other parts.
ELSEWHERE = (
    subjects.bucket_subject(subjects.JOBS, JOB),
    subjects.bucket_subject(subjects.SECRETS, f"{JOB}.x"),
    subjects.bucket_subject(subjects.WORKERS, "summary.summary-1"),
    subjects.event("summary", JOB),
    subjects.event("job", JOB),
    subjects.task("summary", JOB, "summary.reduce"),
    subjects.dead_letter("summary", JOB),
    subjects.webhook(JOB, "0"),
    subjects.session(JOB),
    subjects.names(JOB),
    subjects.cancel(JOB),
    f"{subjects.inbox('summary')}.abc.def",
    f"{subjects.inbox(GATEWAY)}.abc.def",
    "$JS.API.STREAM.DELETE.MAIE_TASKS",
    "$JS.API.CONSUMER.DELETE.MAIE_TASKS.summary-batch",
    "$JS.ACK.MAIE_EVENTS.conductor.1.1.1.1790000000000000000.0",
)


@pytest.mark.parametrize("part", ["asr", "preprocess"])
async def test_no_answer_goes_where_its_subject_says_it_should(
    server: GuardedNats, part: str
) -> None:
    """The reply subject is not checked by the server: accounts keep answers where they belong."""
    heard: list[tuple[str, str]] = []

    async def listen(broker: Broker, of: str, *where: str) -> None:
        async def note(message: Msg) -> None:
            heard.append((of, message.subject))

        for subject in where:
            await broker.client.subscribe(subject, cb=note)
        await all_answered(broker.client)

    asked = own_requests(part)
    async with AsyncExitStack() as stack:
        operator = await stack.enter_async_context(server.connected(OPERATOR))
        summary = await stack.enter_async_context(server.connected("summary"))
        gateway = await stack.enter_async_context(server.connected(GATEWAY))
        attacker = await stack.enter_async_context(server.connected(part))
        await listen(operator, "operator", *ELSEWHERE)
        await listen(summary, "summary", f"{subjects.inbox('summary')}.>", subjects.cancel("*"))
        await listen(gateway, "gateway", f"{subjects.inbox(GATEWAY)}.>")
        before = await what_is_stored(operator)
        heard.clear()
        for reply in ELSEWHERE:
            for subject in asked:
                payload = _request(subject)
                await attacker.client.publish(subject, payload, reply=reply)
        # What the server answers after that, it answers in order.
        for each in (attacker, operator, summary, gateway, operator):
            await all_answered(each.client)
        after = await what_is_stored(operator)
    own = {stream for stream, subject in stored() if subject in _own_subjects(part)}
    changed = {name for name in before if before[name] != after[name]}
    assert changed <= own | {subjects.bucket_stream(subjects.GPUS), subjects.TASKS}
    for name in changed:
        # Only on the subjects that the part may publish to.
        more = {
            subject
            for subject, count in (after[name][4] or {}).items()
            if count != (before[name][4] or {}).get(subject)
        }
        assert all(_is_own(part, subject) for subject in more), more
    assert [each for each in heard if each[1] in ELSEWHERE] == []
    print(f"{part}: {len(ELSEWHERE) * len(asked)} answers to other subjects, none arrived")


def _request(subject: str) -> bytes:
    if ".MSG.NEXT." in subject:
        return json.dumps({"batch": 1, "no_wait": True}).encode()
    return json.dumps({"seq": 1, "next_by_subj": ">", "batch": 1}).encode()


def _own_subjects(part: str) -> set[str]:
    return {subject for _, subject in stored() if _is_own(part, subject)}


def _is_own(part: str, subject: str) -> bool:
    return any(
        right.use is not Use.SUBSCRIBE and covers(right, subject) for right in rights_of(part)
    )


async def test_no_header_removes_what_others_stored(server: GuardedNats) -> None:
    headers: tuple[dict[str, str], ...] = (
        {"Nats-Rollup": "all"},
        {"Nats-Rollup": "sub"},
        {"KV-Operation": "PURGE", "Nats-Rollup": "all"},
        {"Nats-Schedule": "@every 1s", "Nats-Schedule-Target": subjects.event("summary", JOB)},
    )
    own = (
        subjects.bucket_subject(subjects.WORKERS, "asr.asr-1"),
        subjects.event("asr", JOB),
        subjects.returned("asr", JOB, 1, "1"),
        subjects.dead_letter("asr", JOB),
        subjects.bucket_subject(subjects.GPUS, subjects.gpu_holder(GPU)),
    )
    async with server.connected(OPERATOR) as operator, server.connected("asr") as asr:
        before = await what_is_stored(operator)
        for subject in own:
            for header in headers:
                answer = await asr.client.request(subject, b"x", headers=header, timeout=5)
                assert b"error" in answer.data, (subject, header)
        assert await what_is_stored(operator) == before
    print(f"asr: {len(own) * len(headers)} headers, none removed anything")


async def test_no_part_can_have_another_ones_message_dropped_as_a_duplicate(
    server: GuardedNats,
) -> None:
    """The ids of a stream's messages are for all who publish to it."""
    guessed = f"{OTHERS}/summary.reduce/1/completed"
    async with (
        server.connected("asr") as asr,
        server.connected("summary") as summary,
        server.connected(GATEWAY) as gateway,
        server.connected(OPERATOR) as operator,
    ):
        for stage in (subjects.event("asr", OTHERS), subjects.dead_letter("asr", OTHERS)):
            for taken in (guessed, f"{OTHERS}/summary.reduce/1"):
                await asr.publish(stage, event.StageEvent(worker="forger"), message_id=taken)
        # A worker's ids hold what nobody can guess.
        assert summary.token not in (asr.token, gateway.token)
        told = subjects.event("summary", OTHERS)
        place = await summary.publish(
            told, event.StageEvent(worker="summary"), message_id=f"{guessed}/{summary.token}"
        )
        assert (await operator.jetstream.get_msg(subjects.EVENTS, place)).subject == told
        # A gateway's are the same in all gateways, so it looks at what was stored in place of its.
        for subject, taken in (
            (subjects.dead_letter("summary", OTHERS), f"{OTHERS}/summary.reduce/1"),
            (subjects.event("job", OTHERS), guessed),
        ):
            if subject.startswith("maie.event"):
                subject = subjects.event("live", OTHERS)
            place = await gateway.publish(
                subject, event.StageEvent(worker="gateway"), message_id=taken, contested=True
            )
            stream = subjects.EVENTS if "event" in subject else subjects.DEAD_LETTERS
            assert (await operator.jetstream.get_msg(stream, place)).subject == subject
        # Of one that was there before, there is still one.
        again = await gateway.publish(
            subjects.dead_letter("summary", OTHERS),
            event.StageEvent(worker="gateway"),
            message_id="once",
            contested=True,
        )
        assert again == await gateway.publish(
            subjects.dead_letter("summary", OTHERS),
            event.StageEvent(worker="gateway"),
            message_id="once",
            contested=True,
        )


async def test_workers_of_other_stages_cannot_settle_a_task(server: GuardedNats) -> None:
    async with (
        server.connected("summary") as summary,
        server.connected("asr") as asr,
        server.connected(OPERATOR) as operator,
    ):
        consumer = subjects.worker_consumer("summary")
        pull = await summary.jetstream.pull_subscribe_bind(consumer, stream=subjects.TASKS)
        (message,) = await pull.fetch(1, timeout=5)
        for settle in (b"+ACK", b"+TERM", b"-NAK"):
            await asr.client.publish(message.reply, settle)
        await all_answered(asr.client)
        info = await operator.jetstream.consumer_info(subjects.TASKS, consumer)
        assert info.num_ack_pending == 1
        await message.ack_sync()

        async def settled() -> bool:
            seen = await operator.jetstream.consumer_info(subjects.TASKS, consumer)
            return seen.num_ack_pending == 0

        async with asyncio.timeout(30):
            while not await settled():
                await asyncio.sleep(0.02)


def test_the_lists_hold_each_stream_and_part() -> None:
    """A stream, a bucket or a part that is new is tried, too."""
    published = to_publish()
    for stream in STREAMS:
        assert f"$JS.API.STREAM.DELETE.{stream.name}" in published
        assert stream.name in {name for name, _ in stored()}, stream.name
    for part in (*BINDINGS, GATEWAY, PROVISION):
        assert f"{subjects.inbox(part)}.abc.def" in published
