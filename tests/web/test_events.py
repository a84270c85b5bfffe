"""A job's events over HTTP: none missed and none twice, whatever breaks on the way."""

from __future__ import annotations

import asyncio
import gc
import json
import re
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from maie.access.v1 import access_pb2 as access
from maie.asr.v1 import asr_pb2 as asr
from maie.common.v1 import types_pb2 as common
from maie_client import Client
from maie_formats.as_json import to_dict
from maie_gateway.limits.settings import LimitSettings
from maie_runtime.worker.stage import StageContext
from tests.conftest import free_port
from tests.empty_stages import Gate
from tests.gateway.conftest import EmptyMesh
from tests.web.conftest import Web, recording, web_before

pytestmark = pytest.mark.mesh

RAW = ("raw_transcript",)
UNITS = 30
TEXT_BYTES = 300_000  # in all, more than the buffers of sockets between a web part and its reader


@dataclass(kw_only=True)
class Event:
    """An event as an EventSource has it.

    Attributes:
        name: Its name; "comment" for a comment.
        id: Its own id; empty for none.
        data: Its data.
    """

    name: str
    id: str = ""
    data: Any = None


@asynccontextmanager
async def following(web: Web, job_id: str, last: str = "") -> AsyncIterator[httpx.Response]:
    headers = {"last-event-id": last} if last else {}
    async with web.http.stream("GET", f"{web.url}/v1/jobs/{job_id}/events", headers=headers) as got:
        assert got.status_code == 200, await got.aread()
        assert got.headers["content-type"] == "text/event-stream; charset=utf-8"
        assert got.headers["cache-control"] == "no-store"
        yield got


async def read(got: httpx.Response) -> AsyncGenerator[Event, None]:
    event = Event(name="")
    async for line in got.aiter_lines():
        field, _, value = line.partition(": ")
        match field:
            case "":
                if line:
                    yield Event(name="comment")
                elif event.name:
                    yield event
                event = Event(name="")
            case "event":
                event.name = value
            case "id":
                event.id = value
            case "data":
                event.data = json.loads(value)


async def events(web: Web, job_id: str, last: str = "") -> list[Event]:
    async with following(web, job_id, last) as got:
        return [event async for event in read(got)]


def durable(found: list[Event]) -> list[int]:
    return [int(each.id) for each in found if each.id.isdecimal()]


async def _create(web: Web) -> str:
    return (await web.grpc.create_job(recording(), features=RAW)).job_id


async def test_events_are_those_of_grpc(web: Web) -> None:
    job_id = await _create(web)
    found = await events(web, job_id)
    expected = [event async for event in web.grpc.watch_job(job_id)]
    named = [each for each in found if each.id]
    assert [each.name for each in named] == [
        str(each.WhichOneof("event"))
        for each in expected
        if each.sequence or each.HasField("finished")
    ]
    assert [each.data for each in named[:-1]] == [
        to_dict(each) for each in expected if each.sequence
    ]
    assert durable(found) == list(range(1, len(named)))
    assert {"accepted", "state_changed", "unit_ended", "stage_progress", "segment"} <= {
        each.name for each in found
    }
    last = found[-1]
    assert (last.name, last.id) == ("finished", f"{len(named) - 1}.finished")
    assert last.data["finished"]["job"] == to_dict(await web.grpc.get_job(job_id))


async def test_a_reader_goes_on_after_any_event(web: Web) -> None:
    job_id = await _create(web)
    whole = durable(await events(web, job_id))
    for sequence in whole:
        found = await events(web, job_id, str(sequence))
        assert durable(found) == [each for each in whole if each > sequence]
        assert [each.name for each in found].count("finished") == 1
        assert found[-1].name == "finished"


async def test_a_browser_that_comes_back_after_the_end_stops(web: Web) -> None:
    job_id = await _create(web)
    last = (await events(web, job_id))[-1].id
    place = f"/v1/jobs/{job_id}/events"
    got = await web.http.get(place, headers={"last-event-id": last})
    assert (got.status_code, got.content) == (204, b"")
    got = await web.http.get(place, params={"last_event_id": last})
    assert (got.status_code, got.content) == (204, b"")
    got = await web.http.get(place, params={"last_event_id": "1"}, headers={"last-event-id": last})
    assert got.status_code == 204, "the header counts"


async def test_a_job_that_is_retried_has_more_events(web: Web, empty_mesh: EmptyMesh) -> None:
    gate = Gate()
    empty_mesh.stages["asr"].hook = gate
    job_id = await _create(web)
    await gate.reached.wait()
    await web.grpc.cancel_job(job_id)
    first = await events(web, job_id)
    gate.opened.set()
    await web.grpc.retry_job(job_id)
    more = await events(web, job_id, first[-1].id)
    sequences = [*durable(first), *durable(more)]
    assert sequences == list(range(1, len(sequences) + 1))
    assert more[-1].data["finished"]["job"]["state"] == "COMPLETE"


@pytest.mark.parametrize("last", ["x", "-1", "1.5", "1.end", "99999999999999999999", "١"])
async def test_a_wrong_id_is_400(shared_web: Web, last: str) -> None:
    job_id = await _create(shared_web)
    headers = {b"last-event-id": last.encode()}
    got = await shared_web.http.get(f"/v1/jobs/{job_id}/events", headers=headers)
    assert (got.status_code, got.json()["reason"]) == (400, "FIELD_INVALID")


async def test_a_job_that_is_not_there_is_404(shared_web: Web) -> None:
    job_id = await _create(shared_web)
    await shared_web.grpc.delete_job(job_id)
    got = await shared_web.http.get(f"/v1/jobs/{job_id}/events")
    assert (got.status_code, got.json()["reason"]) == (404, "JOB_NOT_FOUND")


async def test_silence_is_filled_with_comments(web: Web, empty_mesh: EmptyMesh) -> None:
    gate = Gate()
    empty_mesh.stages["asr"].hook = gate
    job_id = await _create(web)
    names = []
    async with (
        web_before(web.grpc, heartbeat_seconds=0.05) as quick,
        following(quick, job_id) as got,
    ):
        async for event in read(got):
            names.append(event.name)
            if names[-2:] == ["comment", "comment"]:
                gate.opened.set()
    assert names[-1] == "finished"


async def test_a_reader_that_leaves_ends_its_watch(empty_mesh: EmptyMesh) -> None:
    empty_mesh.gateway_options["limits"] = LimitSettings(watches=1, key_share=1)
    empty_mesh.stages["asr"].hook = gate = Gate()
    async with empty_mesh.running() as client, web_before(client, heartbeat_seconds=0.05) as web:
        made = await client.keys.create(tenant="default", scopes=[access.SCOPE_READ])
        web.http.headers["x-api-key"] = made.api_key
        job_id = await _create(web)
        for _ in range(3):
            names: list[str] = []
            while "comment" not in names:  # refused as long as the gateway counts the one before
                async with following(web, job_id) as got, aclosing(read(got)) as reading:
                    async for event in reading:
                        names.append(event.name)
                        if event.name == "comment":
                            break
        gate.opened.set()


async def test_an_error_on_the_way_is_an_event(empty_mesh: EmptyMesh) -> None:
    limits = LimitSettings(watches=1, key_share=1)
    empty_mesh.gateway_options["limits"] = limits
    empty_mesh.stages["asr"].hook = gate = Gate()
    async with empty_mesh.running() as client, web_before(client) as web:
        made = await client.keys.create(tenant="default", scopes=[access.SCOPE_READ])
        web.http.headers["x-api-key"] = made.api_key
        job_id = await _create(web)
        async with following(web, job_id) as got:
            reading = read(got)
            await anext(reading)
            (problem,) = await events(web, job_id)
            gate.opened.set()
    assert (problem.name, problem.id) == ("problem", "")
    assert (problem.data["status"], problem.data["reason"]) == (429, "STREAMS_FULL")


def _talkative(
    request: asr.TranscribeRequest, _: StageContext, __: int
) -> list[asr.TranscribeResponse]:
    segment = common.Segment(segment_id=str(request.speech_chunk.index), text="a" * TEXT_BYTES)
    return [
        asr.TranscribeResponse(result=common.Transcript(segments=[segment], language_code="en"))
    ]


async def test_a_reader_that_stops_reading_is_waited_for(web: Web, empty_mesh: EmptyMesh) -> None:
    """What it does not read is not taken from the gateway, and comes once it reads again."""
    empty_mesh.stages["preprocess"].chunks = UNITS
    empty_mesh.stages["asr"].answer = _talkative
    job_id = await _create(web)
    async with following(web, job_id) as got:
        chunks = got.aiter_raw()
        slow = [await anext(chunks)]
        quick = await events(web, job_id)  # another one reads everything meanwhile
        local = got.extensions["network_stream"].get_extra_info("client_addr")
        (held,) = [each for each in _transports() if each.get_extra_info("peername") == local]
        assert held.get_write_buffer_size() < 2 * TEXT_BYTES < UNITS * TEXT_BYTES
        slow += [chunk async for chunk in chunks]
    ids = re.findall(rb"^id: (\d+)\r$", b"".join(slow), re.MULTILINE)
    assert [int(each) for each in ids] == durable(quick)


def _transports() -> list[asyncio.WriteTransport]:
    return [each for each in gc.get_objects() if type(each).__name__ == "_SelectorSocketTransport"]


async def test_a_stopping_web_part_lets_its_readers_go(web: Web, empty_mesh: EmptyMesh) -> None:
    empty_mesh.stages["asr"].hook = gate = Gate()
    job_id = await _create(web)
    await gate.reached.wait()
    async with AsyncExitStack() as stack:
        serving = AsyncExitStack()
        other = await serving.enter_async_context(web_before(web.grpc))
        elsewhere = Web(url=other.url, http=web.http, grpc=web.grpc)
        reading = read(await stack.enter_async_context(following(elsewhere, job_id)))
        first = [await anext(reading)]
        stopping = asyncio.create_task(serving.aclose())
        first += [event async for event in reading]
        await stopping
    gate.opened.set()
    more = await events(web, job_id, str(durable(first)[-1]))
    sequences = [*durable(first), *durable(more)]
    assert sequences == list(range(1, len(sequences) + 1))


async def test_a_gateway_that_stops_in_the_middle_is_waited_for(empty_mesh: EmptyMesh) -> None:
    """One stream, and a reader who comes while no gateway answers, see each event once."""
    empty_mesh.stages["asr"].hook = gate = Gate()
    empty_mesh.gateway_options["listen"] = f"127.0.0.1:{free_port()}"
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(empty_mesh.services())
        gateway = AsyncExitStack()
        address = await gateway.enter_async_context(empty_mesh.gateway())
        client = await stack.enter_async_context(Client(address))
        web = await stack.enter_async_context(web_before(client))
        job_id = await _create(web)
        await gate.reached.wait()
        got = await stack.enter_async_context(following(web, job_id))
        reading = read(got)
        before = [await anext(reading)]
        await gateway.aclose()
        late = asyncio.create_task(events(web, job_id, before[0].id))
        gate.opened.set()
        await stack.enter_async_context(empty_mesh.gateway())
        found = before + [event async for event in reading]
        assert durable(found) == list(range(1, durable(found)[-1] + 1))
        assert found[-1].name == "finished"
        assert durable(before) + durable(await late) == durable(found)
