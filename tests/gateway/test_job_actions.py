"""Jobs are retried, renamed and labelled by those who own them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from maie.event.v1 import event_pb2 as event
from maie.job.v1 import job_pb2 as job
from maie_client import Client, ClientError
from maie_core.errors import Code, StageError
from maie_core.reasons import Reason
from maie_gateway.webhooks.queue import dead_letter_delivery
from maie_runtime.bus.provision import open_provisioned_broker
from maie_runtime.worker.stage import StageContext
from tests.empty_stages import empty_stages
from tests.gateway.conftest import EmptyMesh
from tests.waiting import PATIENCE_SECONDS

pytestmark = pytest.mark.mesh

EVERYTHING = ("raw_transcript", "clean_transcript", "summary")
RAW = ("raw_transcript",)
TEMPLATE = "meeting_notes_v1"


async def recording() -> AsyncIterator[bytes]:
    """A recording that empty stages do not look at."""
    yield b"not empty"


async def nothing(_: StageContext) -> None:
    """Does nothing."""


async def refuses(_: StageContext) -> None:
    """Fails for good."""
    raise StageError(Code.INVALID_ARGUMENT, Reason.AUDIO_CORRUPT, "It is damaged.")


async def finished(client: Client, job_id: str) -> job.Job:
    """The job as it is at its end."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        events = [told async for told in client.watch_job(job_id)]
    return events[-1].finished.job


async def letters(client: Client, **options: Any) -> list[job.DeadLetterEntry]:
    """All dead letters."""
    return [letter async for letter in client.list_dead_letters(**options)]


async def test_a_retry_goes_on_where_the_job_failed(empty_mesh: EmptyMesh) -> None:
    empty_mesh.stages = empty_stages(chunks=2)
    empty_mesh.stages["summary"].hook = refuses
    async with empty_mesh.running() as client:
        made = await client.create_job(recording(), features=EVERYTHING, template_id=TEMPLATE)
        assert (await finished(client, made.job_id)).state == job.JOB_STATE_FAILED
        before = list(empty_mesh.stages["asr"].runs)
        empty_mesh.stages["summary"].hook = nothing
        assert (await client.retry_job(made.job_id)).state != job.JOB_STATE_FAILED
        done = await finished(client, made.job_id)
        assert done.state == job.JOB_STATE_COMPLETE
        assert done.results.summary.content["parts"] == 2
        assert empty_mesh.stages["asr"].runs == before
        # What was given up was tried again and is no dead letter any more.
        assert await letters(client) == []


async def test_a_cancelled_job_can_be_taken_up_again(empty_mesh: EmptyMesh) -> None:
    async def waits_for_ever(_: StageContext) -> None:
        await asyncio.Event().wait()

    empty_mesh.stages["asr"].hook = waits_for_ever
    async with empty_mesh.running() as client:
        made = await client.create_job(recording(), features=RAW)
        while not empty_mesh.stages["asr"].runs:
            await asyncio.sleep(0.01)
        await client.cancel_job(made.job_id)
        empty_mesh.stages["asr"].hook = nothing
        await client.retry_job(made.job_id)
        assert (await finished(client, made.job_id)).state == job.JOB_STATE_COMPLETE


async def test_a_job_that_is_complete_or_in_work_cannot_be_retried(empty_mesh: EmptyMesh) -> None:
    async with empty_mesh.running() as client:
        made = await client.create_job(recording(), features=RAW)
        await finished(client, made.job_id)
        with pytest.raises(ClientError) as refused:
            await client.retry_job(made.job_id)
        assert (refused.value.code.name, refused.value.reason) == (
            "FAILED_PRECONDITION",
            "JOB_NOT_RETRYABLE",
        )


async def test_names_and_labels_can_be_changed_at_any_time(empty_mesh: EmptyMesh) -> None:
    async with empty_mesh.running() as client:
        made = await client.create_job(
            recording(), features=RAW, display_name="Monday", labels={"team": "a", "kind": "b"}
        )
        assert (made.display_name, dict(made.labels)) == ("Monday", {"team": "a", "kind": "b"})
        await finished(client, made.job_id)
        changed = await client.update_job(
            made.job_id, display_name="Tuesday", labels={"kind": "", "place": "Berlin"}
        )
        assert changed.display_name == "Tuesday"
        assert dict(changed.labels) == {"team": "a", "place": "Berlin"}
        assert (await client.get_job(made.job_id)).labels == changed.labels
        for labels in ({"A": "b"}, {f"key{i}": "x" for i in range(32)}):
            with pytest.raises(ClientError) as refused:
                await client.update_job(made.job_id, labels=labels)
            assert refused.value.reason == "LABELS_INVALID"
        assert (await client.get_job(made.job_id)).labels == changed.labels


async def test_dead_letters_are_listed_newest_first_by_tenant_and_job(
    empty_mesh: EmptyMesh,
) -> None:
    empty_mesh.stages["preprocess"].hook = refuses
    async with empty_mesh.running() as client:
        ids = []
        for _ in range(3):
            made = await client.create_job(recording(), features=RAW)
            await finished(client, made.job_id)
            ids.append(made.job_id)
        async with asyncio.timeout(PATIENCE_SECONDS):
            while len(found := await letters(client)) < len(ids):
                await asyncio.sleep(0.05)
        assert [letter.job_id for letter in found] == ids[::-1]
        assert found[0].unit == "preprocess"
        assert found[0].failure.reason == "AUDIO_CORRUPT"
        assert found[0].attempts == 1
        paged = [letter async for letter in client.list_dead_letters(page_size=1)]
        assert paged == found
        assert [letter.job_id for letter in await letters(client, job_id=ids[1])] == [ids[1]]
        async with Client(client.address, tenant="others") as others:
            assert await letters(others) == []
            with pytest.raises(ClientError) as refused:
                await others.replay_dead_letter(found[0].letter_id)
            assert refused.value.reason == "DEAD_LETTER_NOT_FOUND"
            with pytest.raises(ClientError) as refused:
                await letters(others, job_id=ids[1])
            assert refused.value.reason == "JOB_NOT_FOUND"


async def test_a_replayed_letter_is_tried_again_and_gone(empty_mesh: EmptyMesh) -> None:
    empty_mesh.stages["preprocess"].hook = refuses
    async with empty_mesh.running() as client:
        made = await client.create_job(recording(), features=RAW)
        await finished(client, made.job_id)
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not (found := await letters(client)):
                await asyncio.sleep(0.05)
        empty_mesh.stages["preprocess"].hook = nothing
        await client.replay_dead_letter(found[0].letter_id)
        assert (await finished(client, made.job_id)).state == job.JOB_STATE_COMPLETE
        assert await letters(client) == []
        with pytest.raises(ClientError) as refused:
            await client.replay_dead_letter(found[0].letter_id)
        assert (refused.value.code.name, refused.value.reason) == (
            "NOT_FOUND",
            "DEAD_LETTER_NOT_FOUND",
        )


async def test_a_delivery_that_was_given_up_can_be_replayed(empty_mesh: EmptyMesh) -> None:
    async with empty_mesh.running() as client:
        made = await client.create_job(recording(), features=RAW)
        await finished(client, made.job_id)
        async with open_provisioned_broker(empty_mesh.nats.url, "test") as broker:
            delivery = event.WebhookDelivery(
                job_id=made.job_id, receiver="0", url="http://127.0.0.1:9/", event_id="1", attempt=1
            )
            error = StageError(Code.UNAVAILABLE, Reason.RECEIVER_DOWN, "It does not answer.")
            await dead_letter_delivery(broker, delivery, error, 3)
        (letter,) = await letters(client)
        assert (letter.unit, letter.attempts) == ("webhook.0", 3)
        assert letter.failure.reason == "RECEIVER_DOWN"
        await client.replay_dead_letter(letter.letter_id)
        with pytest.raises(ClientError) as refused:
            await client.replay_dead_letter(letter.letter_id)
        assert refused.value.reason == "DEAD_LETTER_NOT_FOUND"


@pytest.mark.parametrize("letter_id", [-1, 0, 1, 2**40])
async def test_a_letter_that_is_none_is_not_found(empty_mesh: EmptyMesh, letter_id: int) -> None:
    async with empty_mesh.gateway() as address, Client(address) as client:
        with pytest.raises(ClientError) as refused:
            await client.replay_dead_letter(letter_id)
        assert refused.value.reason == "DEAD_LETTER_NOT_FOUND"
