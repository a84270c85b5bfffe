"""What a live session of the client promises, besides exactly once."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from maie.asr.v1 import streaming_pb2 as streaming
from maie.job.v1 import job_pb2 as job
from maie.live.v1 import live_pb2 as live
from maie_client import Client, ClientError, ClientReason, LiveSession, ResumePoint, linear16
from maie_client.live import call
from maie_core.errors import Code, StageError
from maie_core.reasons import Reason
from tests.chaos.silence import SilentProxy
from tests.client.live.fake_live import SESSION_ID, TOKEN, UTTERANCE, Truth, live_gateway
from tests.waiting import until

pytestmark = pytest.mark.unit

PATIENCE = timedelta(seconds=0.2)


def finals(events: list[live.TranscribeResponse]) -> list[str]:
    return [event.final.segment.text for event in events if event.HasField("final")]


async def rest(session: LiveSession) -> list[live.TranscribeResponse]:
    return [event async for event in session]


def sent(truth: Truth, kind: str) -> list[live.TranscribeRequest]:
    return [request for request in truth.received if request.HasField(kind)]


async def test_options_arrive_as_the_contract_has_them() -> None:
    truth = Truth()
    async with (
        live_gateway(truth) as address,
        Client(address) as client,
        client.live(
            format=linear16(48_000, 2),
            features=["raw_transcript", "summary"],
            template_id="meeting_notes_v1",
            language_code="en",
            hotwords=["maie"],
            labels={"team": "search"},
            partials=streaming.PartialOptions(enabled=False),
        ) as session,
    ):
        await session.end()
    config = truth.starts[0].config
    assert config.format == linear16(48_000, 2)
    assert config.job.features == [job.FEATURE_RAW_TRANSCRIPT, job.FEATURE_SUMMARY]
    assert config.job.asr_options.hotwords == ["maie"]
    assert config.job.labels == {"team": "search"}
    assert not config.partials.enabled
    assert config.partials.HasField("enabled")
    assert not config.HasField("turns")


async def test_long_audio_is_divided_and_half_a_sample_is_refused() -> None:
    truth = Truth()
    async with (
        live_gateway(truth) as address,
        Client(address) as client,
        client.live(format=linear16(8_000)) as session,
    ):
        await session.send(b"ab" * 4000)
        with pytest.raises(ClientError, match="whole samples") as caught:
            await session.send(b"abc")
        assert caught.value.reason == ClientReason.AUDIO_PART_INVALID
        await session.end()
    assert [len(request.audio.content) for request in sent(truth, "audio")] == [3200, 3200, 1600]


async def test_sending_waits_while_too_much_is_not_durable() -> None:
    truth = Truth(settles=False)
    async with (
        live_gateway(truth) as address,
        Client(address) as client,
        client.live(most_kept=timedelta(seconds=1)) as session,
    ):

        async def speak() -> None:
            for _ in range(100):
                await session.send(b"  " * 1600)

        speaking = asyncio.create_task(speak())
        await until(lambda: session.kept_bytes > 28_000)
        await asyncio.sleep(0.1)
        assert not speaking.done()
        assert session.kept_bytes <= 32_000
        assert len(truth.received) <= 10
        await session.send(b"ab", "another track")  # has room of its own
        truth.settles = True
        await session.finalize("another track")
        # What came before is durable with the next utterance of its track.
        truth.durable[""] = len([r for r in sent(truth, "audio") if not r.audio.track])
        truth.breaks = {truth.points + 1: "refuse"}
        await speaking
        await session.end()
    assert len(truth.starts) == 2


async def test_a_track_without_a_place_gets_one_in_another_call(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(call, "KEEP_ALIVE_SECONDS", 0.01)
    truth = Truth(dropped={"b": Reason.LIVE_BUSY})
    async with (
        live_gateway(truth) as address,
        Client(address) as client,
        client.live(most_kept=timedelta(seconds=0.03)) as session,
    ):
        await session.send(b"a1", "a")
        for _ in range(UTTERANCE):
            await session.send(b"b1" * 100, "b")
        blocked = asyncio.create_task(session.send(b"b2" * 100, "b"))
        await until(lambda: len(truth.starts) > 1)
        assert not blocked.done()
        truth.dropped.clear()
        await blocked
        await session.end()
        said = [" ".join(["b1" * 100] * UTTERANCE), "a1", "b2" * 100]
        assert sorted(finals(await rest(session))) == sorted(said)


async def test_a_track_that_cannot_be_recognised_ends_alone() -> None:
    truth = Truth(dropped={"b": Reason.LANGUAGE_NOT_SUPPORTED})
    async with live_gateway(truth) as address, Client(address) as client, client.live() as session:
        await session.send(b"b1", "b")
        async for event in session:
            if event.HasField("warning"):
                break
        with pytest.raises(ClientError, match="Not here") as caught:
            await session.send(b"b2", "b")
        assert caught.value.reason == "LANGUAGE_NOT_SUPPORTED"
        assert session.kept_bytes == 0
        await session.send(b"a1", "a")
        await session.end()
        assert finals(await rest(session)) == ["a1"]


async def test_events_that_nobody_reads_cost_little() -> None:
    truth = Truth()
    async with live_gateway(truth) as address, Client(address) as client, client.live() as session:
        for number in range(300):
            await session.send(b"%04d" % number, f"{number % 2}")
        await session.end()
        # `started`, finals, the end, and the last of what is not durable.
        assert session.unread <= 1 + 100 + 1 + 3
        events = await rest(session)
    assert len(finals(events)) == 100


async def test_a_session_stays_open_while_nobody_speaks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(call, "KEEP_ALIVE_SECONDS", 0.01)
    truth = Truth()
    async with live_gateway(truth) as address, Client(address) as client, client.live() as session:
        await until(lambda: truth.keep_alives > 2)
        await session.send(b"ab")
        await session.end()
    assert len(truth.starts) == 1


async def test_a_session_goes_on_at_another_gateway_when_its_own_is_killed() -> None:
    truth = Truth()
    async with (
        live_gateway(truth) as other,
        Client("127.0.0.1:1", patience=timedelta(minutes=1)) as client,
    ):
        async with live_gateway(truth) as first:
            client.address = first
            session = client.live(gateways=[other])
            await session.__aenter__()
            await session.send(b"ab")
            await until(lambda: sent(truth, "audio"))
        await session.send(b"cd")
        await session.end()
        assert finals(await rest(session)) == ["ab cd"]
        await session.__aexit__(None, None, None)


async def test_a_session_waits_for_its_gateway_to_come_back() -> None:
    truth = Truth()
    async with live_gateway(truth) as address:
        pass  # its port is free again, and known
    async with Client(address) as client:
        async with live_gateway(truth, address):
            session = client.live()
            await session.__aenter__()
            await session.send(b"ab")
            await until(lambda: sent(truth, "audio"))
        await session.send(b"cd")
        await asyncio.sleep(0.3)
        async with live_gateway(truth, address):
            await session.end()
        assert finals(await rest(session)) == ["ab cd"]
        await session.__aexit__(None, None, None)


@pytest.mark.slow  # gRPC finds a silent connection after 17 s
async def test_a_session_goes_on_when_its_connection_falls_silent() -> None:
    truth = Truth()
    async with (
        live_gateway(truth) as address,
        SilentProxy(address) as proxy,
        Client(proxy.address) as client,
        client.live() as session,
    ):
        await session.send(b"ab")
        await until(lambda: sent(truth, "audio"))
        proxy.fall_silent()
        await session.send(b"cd")
        await session.end()
        assert finals(await rest(session)) == ["ab cd"]
    assert len(truth.starts) == 2


async def test_patience_ends_in_the_error_of_the_connection() -> None:
    truth = Truth()
    async with live_gateway(truth) as address:
        pass
    async with Client(address, patience=PATIENCE) as client:
        async with live_gateway(truth, address):
            session = client.live()
            await session.__aenter__()
        with pytest.raises(ClientError, match=address):
            await rest(session)
        for attempt in (lambda: session.send(b"ab"), session.end):
            with pytest.raises(ClientError) as caught:
                await attempt()
            assert caught.value.reason == ClientReason.GATEWAY_UNREACHABLE
        await session.__aexit__(None, None, None)


async def test_a_refusal_is_raised_at_the_beginning_and_ends_a_session_that_runs() -> None:
    truth = Truth()
    async with live_gateway(truth) as address, Client(address) as client:
        truth.refusal = StageError(Code.RESOURCE_EXHAUSTED, Reason.LIVE_BUSY, "Busy.")
        with pytest.raises(ClientError, match="Busy"):
            await client.live().__aenter__()
        truth.refusal = None
        async with client.live() as session:
            truth.refusal = StageError(
                Code.PERMISSION_DENIED, Reason.RESUME_TOKEN_INVALID, "Not the token."
            )
            truth.breaks = {truth.points + 1: "refuse"}
            await session.send(b"ab")
            with pytest.raises(ClientError, match="Not the token"):
                await rest(session)
            with pytest.raises(ClientError, match="Not the token"):
                await session.send(b"cd")


@pytest.mark.parametrize(
    ("code", "reason", "goes_on"),
    [
        (Code.INTERNAL, Reason.INTERNAL, True),
        (Code.DEADLINE_EXCEEDED, Reason.SESSION_IDLE, True),
        (Code.UNAVAILABLE, Reason.LIVE_UNAVAILABLE, True),
        (Code.RESOURCE_EXHAUSTED, Reason.SESSIONS_FULL, True),
        (Code.RESOURCE_EXHAUSTED, Reason.TRACKS_FULL, False),
        (Code.FAILED_PRECONDITION, Reason.TRACKS_FULL, False),
        (Code.INVALID_ARGUMENT, Reason.TRACK_INVALID, False),
        (Code.ABORTED, Reason.SESSION_TAKEN_OVER, False),
        (Code.NOT_FOUND, Reason.SESSION_NOT_FOUND, False),
    ],
)
async def test_an_error_of_the_call_is_tried_again_and_one_of_the_session_is_raised(
    code: Code, reason: Reason, *, goes_on: bool
) -> None:
    truth = Truth()
    async with live_gateway(truth) as address, Client(address) as client, client.live() as session:
        truth.refusal = StageError(code, reason, "It cannot be.")
        truth.breaks = {truth.points + 1: "refuse"}
        await session.send(b"ab")
        if goes_on:
            await until(lambda: session.trouble == "It cannot be.")
            truth.refusal = None
            await session.end()
            assert session.trouble == ""
        else:
            with pytest.raises(ClientError, match="It cannot be"):
                await session.end()


async def test_no_gateway_is_one_sentence() -> None:
    async with Client("127.0.0.1:1") as client:
        with pytest.raises(ClientError, match=r"127\.0\.0\.1:1"):
            await client.live().__aenter__()
        with pytest.raises(ClientError, match="http://no"):
            client.live(gateways=["http://no"])


async def test_another_process_goes_on_from_what_is_durable() -> None:
    truth = Truth()
    async with live_gateway(truth) as address, Client(address) as client:
        async with client.live() as session:
            for word in ("a1", "a2", "a3", "lost"):
                await session.send(word.encode(), "a")
            async for event in session:
                if event.HasField("final"):
                    break
            point = session.resume_point
        assert point == ResumePoint(session_id=SESSION_ID, resume_token=TOKEN, after_sequence=1)
        so_far = await client.get_session(point)
        assert (so_far.ended, so_far.last_sequence) == (False, 1)
        with pytest.raises(ClientError, match="Not the token"):
            await client.get_session(ResumePoint(session_id=SESSION_ID, resume_token="wrong"))
        async with client.live(resume=point) as session:
            (track,) = session.started.tracks
            assert (track.track, track.durable_sequence) == ("a", 3)
            await session.send(b"a4", "a")
            await session.end()
            events = await rest(session)
    assert finals(events) == ["a4"]
    assert truth.texts() == {"a": ["a1 a2 a3", "a4"]}


async def test_what_ended_without_this_client_is_read_to_its_end() -> None:
    truth = Truth()
    async with live_gateway(truth) as address, Client(address) as client, client.live() as session:
        await session.send(b"ab")
        await until(lambda: sent(truth, "audio"))
        # Its gateway ends it, and this client's call breaks before it knows.
        truth.epoch += 1
        truth.log.append(live.TranscribeResponse(sequence=1, ended=live.SessionEnded(job_id="j")))
        truth.breaks = {truth.points + 1: "refuse"}
        await session.send(b"cd")
        assert (await rest(session))[-1].ended.job_id == "j"
        with pytest.raises(ClientError) as caught:
            await session.send(b"ef")
        assert caught.value.reason == ClientReason.SESSION_ENDED
        assert (await session.end()).job_id == "j"


async def test_a_call_that_lost_its_session_to_another_says_so() -> None:
    truth = Truth()
    async with (
        live_gateway(truth) as address,
        Client(address) as client,
        client.live() as session,
        client.live(resume=session.resume_point) as other,
    ):
        with pytest.raises(ClientError) as caught:
            await session.send(b"ab")
            await session.end()
        assert caught.value.reason == "SESSION_TAKEN_OVER"
        await other.end()


async def test_options_that_changed_hold_in_the_next_call_too() -> None:
    def silence(seconds: float) -> streaming.StreamingOptions:
        wanted = timedelta(seconds=seconds)
        return streaming.StreamingOptions(turns=streaming.TurnOptions(min_silence=wanted))

    truth = Truth()
    async with live_gateway(truth) as address, Client(address) as client, client.live() as session:
        await session.configure(silence(1.5))
        await session.configure(silence(0.25), "a")
        await session.configure(silence(2))
        await session.send(b"ab")
        await until(lambda: sent(truth, "audio"))
        truth.breaks = {truth.points + 1: "refuse"}
        await session.send(b"cd")
        await session.end()
        assert finals(await rest(session)) == ["ab cd"]
    kinds = [request.WhichOneof("request") for request in truth.received]
    second = kinds.index("configure", kinds.index("audio"))
    assert kinds[second : second + 3] == ["configure", "configure", "audio"]
    changed = [request.configure for request in truth.received[second : second + 2]]
    assert [(each.track, each.options) for each in changed] == [("", silence(2)), ("a", silence(2))]


async def test_nothing_follows_the_end_or_the_block() -> None:
    truth = Truth()
    async with live_gateway(truth) as address, Client(address) as client:
        async with client.live() as session:
            ending = asyncio.create_task(session.end())
            await asyncio.sleep(0)
            with pytest.raises(ClientError) as caught:
                await session.send(b"ab")
            assert caught.value.reason in {
                ClientReason.STREAM_OUT_OF_ORDER,
                ClientReason.SESSION_ENDED,
            }
            await ending
        async with client.live() as left:
            pass
        with pytest.raises(ClientError, match="has left"):
            await left.send(b"ab")
        assert len(await rest(session)) == 2
        with pytest.raises(ClientError, match="has left"):
            await rest(left)
