"""A tenant that reaches for what is another's."""

from __future__ import annotations

import hashlib
from typing import Any

import grpc
import pytest
from google.protobuf.duration_pb2 import Duration

from maie.asr.v1 import asr_pb2 as asr
from maie.asr.v1 import asr_pb2_grpc
from maie.common.v1 import types_pb2 as common
from maie.job.v1 import job_pb2 as job
from maie.live.v1 import live_pb2 as live
from maie.live.v1 import live_pb2_grpc
from maie.preprocess.v1 import preprocess_pb2 as preprocess
from maie.preprocess.v1 import preprocess_pb2_grpc
from maie_client import Client, ClientError
from maie_client.live import linear16
from tests.attacks.conftest import RAW, Besieged, Came, answer, run_job

pytestmark = pytest.mark.mesh

ABSENT = "01900000-0000-7000-8000-000000000000"


async def tried(client: Client, job_id: str) -> list[tuple[str, str]]:
    """What each call about a job is answered, with the message."""
    found = []
    for asking in (
        client.get_job(job_id),
        client.get_timeline(job_id),
        client.get_waveform(job_id),
        client.cancel_job(job_id),
        client.delete_job(job_id),
        client.retry_job(job_id),
        client.update_job(job_id, display_name="mine"),
    ):
        with pytest.raises(ClientError) as refused:
            await asking
        found.append((f"{refused.value.code.name} {refused.value.reason}", str(refused.value)))
    for following in (client.watch_job(job_id), client.get_audio(job_id)):
        with pytest.raises(ClientError) as refused:
            async for _ in following:
                pass
        found.append((f"{refused.value.code.name} {refused.value.reason}", str(refused.value)))
    return found


@pytest.mark.attack(2)
async def test_another_tenants_job_is_as_good_as_absent(mesh: Besieged, came: Came) -> None:
    async with mesh.client(mesh.ours) as ours, mesh.client(mesh.theirs) as theirs:
        mine = await run_job(ours, mesh.recording)
        foreign, absent = await tried(theirs, mine.job_id), await tried(theirs, ABSENT)
        assert [(code, text.replace(mine.job_id, ABSENT)) for code, text in foreign] == absent
        came(" ".join(sorted({code for code, _ in foreign})))
        assert {code for code, _ in foreign} == {"NOT_FOUND JOB_NOT_FOUND"}
        assert (await ours.get_job(mine.job_id)).state == mine.state


@pytest.mark.attack(14)
async def test_a_request_id_is_its_tenants_and_its_contents(mesh: Besieged, came: Came) -> None:
    async with mesh.client(mesh.ours) as ours, mesh.client(mesh.theirs) as theirs:
        first = await run_job(ours, mesh.recording, request_id="monday")
        other = ours.create_job(mesh.recording, features=("clean_transcript",), request_id="monday")
        found = await answer(other)
        came(found)
        assert found.startswith("ALREADY_EXISTS")
        assert (await run_job(theirs, mesh.recording, request_id="monday")).job_id != first.job_id


@pytest.mark.attack(20)
async def test_a_stage_says_nothing_of_stored_objects(mesh: Besieged, came: Came) -> None:
    async with mesh.client(mesh.ours) as ours:
        mine = await run_job(ours, mesh.recording)
    folder = mesh.running.layout.blobs
    (stored,) = (path for path in folder.rglob("*recording*") if mine.job_id in str(path))
    key = str(stored.relative_to(folder))
    guess = common.Blob(key=key, size_bytes=stored.stat().st_size, sha256="0" * 64)
    absent = common.Blob(key=f"jobs/{ABSENT}/recording", size_bytes=9, sha256="0" * 64)
    second_long = common.TimeRange(end_offset=Duration(seconds=1))
    digest = hashlib.sha256(stored.read_bytes()).hexdigest()
    found: list[tuple[str, str]] = []
    async with (
        grpc.aio.insecure_channel(mesh.stage("preprocess")) as first,
        grpc.aio.insecure_channel(mesh.stage("asr")) as second,
    ):
        reading = preprocess_pb2_grpc.PreprocessServiceStub(first)
        hearing = asr_pb2_grpc.AsrServiceStub(second)
        for blob in (guess, absent):
            chunk = preprocess.Chunk(audio=blob, range=second_long, speech=[second_long])
            for asking in (
                reading.Preprocess(preprocess.PreprocessRequest(recording=blob)),
                hearing.Transcribe(asr.TranscribeRequest(speech_chunk=chunk)),
            ):
                with pytest.raises(grpc.aio.AioRpcError) as refused:
                    _ = [each async for each in asking]
                assert digest not in repr(refused.value)
                told = (refused.value.details() or "").replace(mine.job_id, ABSENT)
                found.append((refused.value.code().name, told))
    came(" ".join(sorted({code for code, _ in found})))
    assert found[:2] == found[2:]
    assert {code for code, _ in found} == {"NOT_FOUND"}


@pytest.mark.attack(23)
async def test_a_foreign_resume_token_shows_nothing(mesh: Besieged, came: Came) -> None:
    async with mesh.client(mesh.ours) as ours, grpc.aio.insecure_channel(mesh.gateway) as channel:
        points = []
        for _ in range(2):
            async with ours.live(features=RAW, format=linear16(16_000)) as session:
                points.append(session.resume_point)
        stub = live_pb2_grpc.LiveServiceStub(channel)

        async def resumed(key: str, session_id: str, token: str) -> str:
            metadata = (("authorization", f"Bearer {key}"),)
            asked = live.GetSessionRequest(session_id=session_id, resume_token=token)
            got = await answer(stub.GetSession(asked, metadata=metadata))
            start = live.StartSession(session_id=session_id, resume_token=token)
            call = stub.Transcribe(iter([live.TranscribeRequest(start=start)]), metadata=metadata)
            assert await answer(call) == got
            return got

        one, two = points
        foreign = [
            await resumed(mesh.ours, one.session_id, two.resume_token),
            await resumed(mesh.ours, one.session_id, "guessed"),
            await resumed(mesh.theirs, one.session_id, one.resume_token),
        ]
        came(" / ".join(dict.fromkeys(foreign)))
        assert foreign[0] == foreign[1] == "PERMISSION_DENIED RESUME_TOKEN_INVALID"
        assert foreign[2] == "NOT_FOUND SESSION_NOT_FOUND"
        assert await resumed(mesh.theirs, ABSENT, one.resume_token) == foreign[2]


@pytest.mark.attack(23)
async def test_of_two_holders_of_a_token_the_later_has_the_session(
    mesh: Besieged, came: Came
) -> None:
    config = live.SessionConfig(
        format=linear16(16_000), job=job.JobConfig(features=[job.FEATURE_RAW_TRANSCRIPT])
    )
    async with grpc.aio.insecure_channel(mesh.gateway) as channel:
        stub = live_pb2_grpc.LiveServiceStub(channel)
        metadata = (("authorization", f"Bearer {mesh.ours}"),)
        first = stub.Transcribe(metadata=metadata)
        await first.write(live.TranscribeRequest(start=live.StartSession(config=config)))
        began: Any = await first.read()
        started = began.started
        again = live.StartSession(session_id=started.session_id, resume_token=started.resume_token)
        second = stub.Transcribe(metadata=metadata)
        await second.write(live.TranscribeRequest(start=again))
        resumed: Any = await second.read()
        assert resumed.started.session_id == started.session_id
        lost = await answer(rest(first))
        await second.write(live.TranscribeRequest(end=live.EndSession()))
        kept = await answer(rest(second))
        # Of a session that has ended, the token gives nothing that its client does not have.
        again.after_sequence = 1_000_000
        after = stub.Transcribe(iter([live.TranscribeRequest(start=again)]), metadata=metadata)
        ended = await answer(after)
    came(f"the earlier of two holders: {lost}; the later: {kept}; after its end: {ended}")
    assert (lost, kept) == ("ABORTED SESSION_TAKEN_OVER", "OK")
    assert ended == "FAILED_PRECONDITION SESSION_ENDED"


async def rest(call: Any) -> None:
    """Reads a call to its end."""
    while await call.read() is not grpc.aio.EOF:
        pass
