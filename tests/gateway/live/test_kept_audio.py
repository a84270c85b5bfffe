"""The audio of a session is kept as it was said, whatever dies, and goes with its job."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import grpc
import numpy as np
import pytest

from maie.job.v1 import job_pb2 as job
from maie.live.v1 import live_pb2 as live
from maie_audio.peaks import Peaks
from maie_client import ClientError
from maie_core.samples import samples
from maie_gateway.live.kept import making
from maie_gateway.live.kept.whole import put_together
from maie_gateway.live.tracks.reader import AudioReader
from maie_gateway.settings import RetentionSettings
from maie_runtime.blobs import Blobs
from tests.gateway.live.conftest import LiveMesh, client_of
from tests.gateway.live.conversation import config, expected, linear16, talking
from tests.gateway.live.listening import kept, laid, objects, offsets, whole_alone
from tests.gateway.live.running import gateway_process
from tests.gateway.live.speech import interleaved, pause, pieces, said, word
from tests.gateway.live.spoken import spoken, whole
from tests.gateway.live.test_exactly_once import MIDDLE, Speaker, durable, holder, sequences
from tests.gateway.live.test_streams import messages, send
from tests.gateway.test_removal import none_left

pytestmark = pytest.mark.mesh


def keeping(**of_job: object) -> live.SessionConfig:
    wanted = config(**of_job)
    wanted.keep_audio = True
    return wanted


async def test_the_sides_of_a_call_are_kept_added(live_mesh: LiveMesh, tmp_path: Path) -> None:
    left, right = said([1, 2, 3]), pause(0.35) + said([4, 5])
    messages = list(pieces(interleaved(left, right), 0.2))
    wanted = keeping()
    wanted.format.CopyFrom(linear16(channels=2, split=True))
    async with live_mesh.running() as (address, _), client_of(address) as client:
        async with talking(address) as talk:
            started = await talk.start(wanted)
            half = b"".join(messages[: len(messages) // 2])
            await talk.audio("call", half, seconds=0.2)
            await talk.next("final", 2)
        async with talking(address) as again:
            seen = max(each.sequence for each in talk.events)
            resumed = await again.resume(started, seen)
            # One side may be further than the other, and neither is kept twice.
            again.sent["call"] = durable = resumed.tracks[0].durable_sequence
            await again.audio("call", b"".join(messages[durable:]), seconds=0.2)
            await again.end()
        found = await kept(client, started.session_id, tmp_path / "kept")
        (begin,) = (await offsets(live_mesh, started.session_id)).values()
        size = max(len(left), len(right))
        sides = [
            np.frombuffer(side.ljust(size, b"\0"), "<i2").astype(int) for side in (left, right)
        ]
        assert np.array_equal(found[begin:], sides[0] + sides[1])
        drawn = Peaks()
        drawn.add(found)
        assert (await client.get_waveform(started.session_id)).peaks == drawn.finish()
        await whole_alone(live_mesh, started.session_id)


async def test_one_track_is_kept_sample_by_sample(live_mesh: LiveMesh, tmp_path: Path) -> None:
    before, after = said([1, 2]), pause(0.2) + said([3])
    async with live_mesh.running() as (address, _), client_of(address) as client:
        async with talking(address) as talk:
            started = await talk.start(keeping(display_name="Stand-up"))
            assert started.config.keep_audio
            await talk.audio("ann", before)
            await talk.silence("ann", 70.0)
            await talk.finalize("ann")
            await talk.audio("ann", after)
            await talk.end()
        found = await kept(client, started.session_id, tmp_path / "kept")
        (begin,) = (await offsets(live_mesh, started.session_id)).values()
        sound = before + pause(70.0) + after
        assert np.array_equal(found, laid({begin: sound}))
        # What a final says of its place is true of the file.
        for final in talk.of("final"):
            segment = final.final.segment
            first, last = samples(segment.start_offset), samples(segment.end_offset)
            assert np.abs(found[first:last]).min() >= 1000
        info = (await anext(client.get_audio(started.session_id))).info
        assert info.filename == "Stand-up.flac"
        await whole_alone(live_mesh, started.session_id)


async def test_tracks_are_mixed_from_where_they_began(live_mesh: LiveMesh, tmp_path: Path) -> None:
    ann, bob, late = said([1, 2, 3, 1, 2, 3]), said([4, 5]), said([6])
    async with live_mesh.running() as (address, _), client_of(address) as client:
        async with talking(address) as talk:
            started = await talk.start(keeping())
            await talk.audio("ann", ann)
            await talk.next("final")
            await talk.audio("bob", bob)
            await talk.leave("bob")
            await talk.durable("bob", talk.sent["bob"])
            await talk.audio("bob", late)
            await talk.end()
        found = await kept(client, started.session_id, tmp_path / "kept")
        entries = await offsets(live_mesh, started.session_id)
        begins = {final.final.track: 0 for final in talk.of("final")}
        assert begins.keys() == entries.keys() == {"ann", "bob"}
        first_bob = min(
            samples(each.final.segment.start_offset)
            for each in talk.of("final")
            if each.final.track == "bob"
        ) - round(0.1 * 16_000)
        # Its finals say where the second track began, which is well after the first.
        assert first_bob > entries["ann"]
        sounds = {entries["ann"]: ann, first_bob: bob, entries["bob"]: late}
        assert np.array_equal(found, laid(sounds))


@pytest.mark.parametrize("rate", [8_000, 48_000])
async def test_another_rate_is_kept_as_it_is_recognised(
    live_mesh: LiveMesh, tmp_path: Path, rate: int
) -> None:
    sound = b"".join(word(each, rate=rate) + pause(rate=rate) for each in (1, 2, 3))
    wanted = keeping()
    wanted.format.CopyFrom(linear16(rate))
    async with live_mesh.running() as (address, _), client_of(address) as client:
        async with talking(address) as talk:
            started = await talk.start(wanted)
            for piece in pieces(sound, rate=rate):
                number = talk.number("ann")
                await talk.send(audio=live.TrackAudio(track="ann", sequence=number, content=piece))
            await talk.end()
        found = await kept(client, started.session_id, tmp_path / "kept")
        (begin,) = (await offsets(live_mesh, started.session_id)).values()
    reader = AudioReader(linear16(rate))
    read = b"".join(reader.read(piece) for piece in pieces(sound, rate=rate)) + reader.flush()
    assert np.array_equal(found, laid({begin: read}))


async def test_a_failing_replica_doubles_no_audio(live_mesh: LiveMesh, tmp_path: Path) -> None:
    ann = Speaker("ann", [1, 2, 3])
    async with (
        live_mesh.replica("one") as one,
        live_mesh.replica("two") as two,
        live_mesh.gateway() as address,
        client_of(address) as client,
    ):
        async with talking(address) as talk:
            started = await talk.start(keeping())
            await ann.say(talk, 1, MIDDLE)
            await talk.next("final")
            first, _ = holder((one, two))
            await first.kill()
            await ann.say(talk, MIDDLE + 1)
            await talk.end()
            assert talk.finals() == ann.expected()
        found = await kept(client, started.session_id, tmp_path / "kept")
        (begin,) = (await offsets(live_mesh, started.session_id)).values()
        assert np.array_equal(found, laid({begin: said(ann.words)}))


async def test_a_resumed_session_keeps_it_once(live_mesh: LiveMesh, tmp_path: Path) -> None:
    ann = Speaker("ann", [1, 2, 3])
    async with live_mesh.running() as (address, _), client_of(address) as client:
        async with talking(address) as talk:
            started = await talk.start(keeping())
            await ann.say(talk, 1, MIDDLE)
            await talk.next("final")
        async with talking(address) as again:
            resumed = await again.resume(started, 1)
            await ann.say(again, durable(resumed, "ann") + 1)
            await again.end()
        found = await kept(client, started.session_id, tmp_path / "kept")
        (begin,) = (await offsets(live_mesh, started.session_id)).values()
        assert np.array_equal(found, laid({begin: said(ann.words)}))


@pytest.mark.parametrize("fault", ["", "session.after_part:kill", "session.after_part:kill@2"])
async def test_a_killed_gateway_loses_and_doubles_nothing(
    live_mesh: LiveMesh, tmp_path: Path, fault: str
) -> None:
    ann, bob = Speaker("ann", [1, 2, 3]), Speaker("bob", [4, 5, 6])
    async with (
        live_mesh.replica(),
        live_mesh.gateway() as address,
        client_of(address) as client,
    ):
        dying = gateway_process(live_mesh.empty, MAIE_FAULT=fault)
        async with dying as (first, process), talking(first) as talk:
            started = await talk.start(keeping())
            for speaker in (ann, bob):
                await speaker.say(talk, 1, MIDDLE)
            if not fault:
                await talk.durable("ann", 2)
                os.kill(process.pid, signal.SIGKILL)
            assert (await talk.failure())[0] is grpc.StatusCode.UNAVAILABLE
        async with talking(address) as again:
            resumed = await again.resume(started, after=max(sequences(talk), default=0))
            for speaker in (ann, bob):
                # What was acknowledged is not sent again.
                known = talk.durable_sequence(speaker.track)
                assert durable(resumed, speaker.track) >= known
                await speaker.say(again, durable(resumed, speaker.track) + 1)
            await again.end()
        finals = talk.finals() + again.finals()
        assert sorted(set(finals)) == sorted(ann.expected() + bob.expected())
        found = await kept(client, started.session_id, tmp_path / "kept")
        begins = await offsets(live_mesh, started.session_id)
        sounds = {begins["ann"]: said(ann.words), begins["bob"]: said(bob.words)}
        assert np.array_equal(found, laid(sounds))
        await whole_alone(live_mesh, started.session_id)


async def test_another_gateway_puts_together_what_a_killed_one_left(
    live_mesh: LiveMesh, tmp_path: Path
) -> None:
    ann = Speaker("ann", [1, 2, 3])
    async with live_mesh.replica():
        dying = gateway_process(live_mesh.empty, MAIE_FAULT="session.after_audio:kill")
        async with dying as (address, process), talking(address) as talk:
            started = await talk.start(keeping())
            await ann.say(talk, 1)
            await talk.end()
            await process.wait()
        another = live_mesh.gateway(resume_seconds=1.0, sweep_seconds=0.1)
        async with another as address, client_of(address) as client:
            found = await kept(client, started.session_id, tmp_path / "kept")
            (begin,) = (await offsets(live_mesh, started.session_id)).values()
            assert np.array_equal(found, laid({begin: said(ann.words)}))
            await whole_alone(live_mesh, started.session_id)


async def test_an_abandoned_session_keeps_what_is_durable(
    live_mesh: LiveMesh, tmp_path: Path
) -> None:
    async with live_mesh.replica():
        async with gateway_process(live_mesh.empty) as (dying, process), talking(dying) as talk:
            started = await talk.start(keeping())
            await talk.audio("ann", said([1, 2]) + word(3))
            await talk.next("final", 2)
            await talk.durable("ann", 12)
            os.kill(process.pid, signal.SIGKILL)
            await talk.failure()
        another = live_mesh.gateway(resume_seconds=1.0, sweep_seconds=0.1)
        async with another as address, client_of(address) as client:
            found = await kept(client, started.session_id, tmp_path / "kept")
            (begin,) = (await offsets(live_mesh, started.session_id)).values()
            sent = laid({begin: said([1, 2]) + word(3)})
            assert np.array_equal(found, sent[: len(found)])
            # All that was acknowledged, which is some or all of what the finals say.
            assert len(found) - begin >= talk.durable_sequence("ann") * 1600
            await whole_alone(live_mesh, started.session_id)


async def test_a_cancelled_session_that_is_retried_has_its_audio(
    live_mesh: LiveMesh, tmp_path: Path
) -> None:
    running = live_mesh.running(sweep_seconds=0.1)
    async with running as (address, _), client_of(address) as client:
        async with talking(address) as talk:
            started = await talk.start(keeping())
            await talk.audio("ann", said([1, 2]))
            await talk.next("final", 2)
            await talk.durable("ann", 12)
            await client.cancel_job(started.session_id)
            await talk.next("ended")
        with pytest.raises(ClientError) as cancelled:
            await client.save_audio(started.session_id, tmp_path / "kept")
        assert cancelled.value.reason == "AUDIO_NOT_READY"
        await client.retry_job(started.session_id)
        found = await kept(client, started.session_id, tmp_path / "kept")
        (begin,) = (await offsets(live_mesh, started.session_id)).values()
        assert np.array_equal(found, laid({begin: said([1, 2])})[: len(found)])
        assert len(found) - begin >= 12 * 1600


async def test_audio_is_asked_for_and_there_at_the_end(live_mesh: LiveMesh, tmp_path: Path) -> None:
    async with live_mesh.running() as (address, _), client_of(address) as client:
        for wanted, reason in ((config(), "AUDIO_NOT_KEPT"), (keeping(), "AUDIO_NOT_READY")):
            async with talking(address) as talk:
                started = await talk.start(wanted)
                await talk.audio("ann", said([1]))
                await talk.next("final")
                with pytest.raises(ClientError) as refused:
                    await client.save_audio(started.session_id, tmp_path / "kept")
                assert refused.value.reason == reason
                await talk.end()
            # What was not asked for is not stored, not even for a moment.
            parts = [key async for key in stored_parts(live_mesh, started.session_id)]
            assert wanted.keep_audio or not parts
        assert len(await kept(client, started.session_id, tmp_path / "kept"))


async def test_a_session_without_audio_has_an_empty_file(
    live_mesh: LiveMesh, tmp_path: Path
) -> None:
    async with live_mesh.running() as (address, _), client_of(address) as client:
        async with talking(address) as talk:
            started = await talk.start(keeping())
            await talk.end()
        assert not len(await kept(client, started.session_id, tmp_path / "kept"))


async def test_a_store_that_is_down_holds_up_its_own_sessions_alone(
    live_mesh: LiveMesh, tmp_path: Path
) -> None:
    ann = Speaker("ann", [1, 2, 3])
    parts = tmp_path / "blobs" / "live"
    running = live_mesh.running(store_seconds=0.5)
    async with running as (address, _), client_of(address) as client:
        async with talking(address) as talk, talking(address) as other:
            block(parts)
            await other.start()
            started = await talk.start(keeping())
            await ann.say(talk, 1, MIDDLE)
            # The final does not wait for the store, the acknowledgement does.
            await talk.next("final")
            assert await talk.failure() == (
                grpc.StatusCode.UNAVAILABLE,
                "BLOB_STORE_UNAVAILABLE",
            )
            assert talk.durable_sequence("ann") == 0
            await other.audio("bob", said([7]))
            await other.end()
            assert other.finals() == expected("bob", [7])
        parts.unlink()
        async with talking(address) as again:
            resumed = await again.resume(started, 1)
            assert durable(resumed, "ann") == 0
            await ann.say(again, 1)
            await again.end()
        finals = [event.final for event in talk.of("final") + again.of("final")]
        assert spoken(finals) == whole(ann.words)
        found = await kept(client, started.session_id, tmp_path / "kept")
        (begin,) = (await offsets(live_mesh, started.session_id)).values()
        assert np.array_equal(found, laid({begin: said(ann.words)}))


async def test_a_store_that_comes_back_costs_nothing(live_mesh: LiveMesh, tmp_path: Path) -> None:
    parts = tmp_path / "blobs" / "live"
    async with live_mesh.talking() as (talk, _):
        block(parts)
        await talk.start(keeping())
        await talk.audio("ann", said([1, 2]))
        await talk.next("final", 2)
        assert talk.durable_sequence("ann") == 0
        parts.unlink()
        await talk.durable("ann", 12)
        await talk.end()
        assert talk.finals() == expected("ann", [1, 2])


@pytest.mark.parametrize("when", ["running", "ended", "cancelled"])
async def test_nothing_is_left_of_a_deleted_session(live_mesh: LiveMesh, when: str) -> None:
    live_mesh.empty.gateway_options["retention"] = RetentionSettings(removals_seconds=1)
    async with live_mesh.running() as (address, _), client_of(address) as client:
        async with talking(address) as talk:
            started = await talk.start(keeping())
            await talk.audio("ann", said([1, 2]))
            await talk.durable("ann", 12)
            assert [key async for key in stored_parts(live_mesh, started.session_id)]
            if when == "ended":
                await talk.end()
                assert [each async for each in client.watch_job(started.session_id)]
                await whole_alone(live_mesh, started.session_id)
            if when == "cancelled":
                await client.cancel_job(started.session_id)
                await talk.next("ended")
            await client.delete_job(started.session_id)
            await talk.over.wait()
        assert await none_left(live_mesh.empty, live_mesh.broker, started.session_id)
        assert await objects(live_mesh, started.session_id) == []


async def test_nothing_is_left_of_a_session_deleted_while_its_audio_is_put_together(
    live_mesh: LiveMesh, monkeypatch: pytest.MonkeyPatch
) -> None:
    live_mesh.empty.gateway_options["retention"] = RetentionSettings(removals_seconds=1)
    made, removed = asyncio.Event(), asyncio.Event()

    async def put_together_slowly(*of: Any) -> Any:
        whole = await put_together(*of)
        made.set()
        await removed.wait()
        return whole

    monkeypatch.setattr(making, "put_together", put_together_slowly)
    async with live_mesh.running() as (address, _), client_of(address) as client:
        first, second = [await ended_session(address) for _ in range(2)]
        await made.wait()
        await client.delete_job(first)
        assert await none_left(live_mesh.empty, live_mesh.broker, first)
        removed.set()
        # One after the other: where the second is complete, the first is over.
        assert [each async for each in client.watch_job(second)]
        assert await none_left(live_mesh.empty, live_mesh.broker, first)
        assert await objects(live_mesh, first) == []


async def ended_session(address: str) -> str:
    """The id of a session that keeps its audio, and has ended."""
    async with talking(address) as talk:
        started = await talk.start(keeping())
        await talk.audio("ann", said([1]))
        await talk.end()
    return started.session_id


async def test_a_session_that_is_kept_lasts_a_day_at_most(live_mesh: LiveMesh) -> None:
    async with live_mesh.talking() as (talk, _):
        await talk.start(keeping())
        for _ in range(23):
            await talk.silence("ann", 3600.0)
        await talk.durable("ann", 22)
        for _ in range(2):
            await talk.silence("ann", 3600.0)
        assert await talk.failure() == (grpc.StatusCode.INVALID_ARGUMENT, "AUDIO_TOO_LONG")


async def test_a_compressed_track_is_kept_as_it_is_decoded(
    live_mesh: LiveMesh, tmp_path: Path
) -> None:
    wanted = keeping()
    wanted.format.CopyFrom(live.AudioFormat(encoding=live.AUDIO_ENCODING_FLAC))
    async with live_mesh.running() as (address, _), client_of(address) as client:
        async with talking(address) as talk:
            started = await talk.start(wanted)
            await send(talk, "ann", messages(live.AUDIO_ENCODING_FLAC, [1, 2, 3]))
            await talk.end()
        found = await kept(client, started.session_id, tmp_path / "kept")
        (begin,) = (await offsets(live_mesh, started.session_id)).values()
        assert np.array_equal(found, laid({begin: said([1, 2, 3])}))


async def test_parts_that_a_killed_gateway_left_are_swept(live_mesh: LiveMesh) -> None:
    live_mesh.empty.gateway_options["retention"] = RetentionSettings(sweep_seconds=0.2)
    async with live_mesh.running() as (address, _), client_of(address) as client:
        async with talking(address) as talk:
            started = await talk.start(keeping())
            await talk.audio("ann", said([1]))
            await talk.end()
        assert [each async for each in client.watch_job(started.session_id)]
        await whole_alone(live_mesh, started.session_id)
        # As of a gateway that lost the session while it stored a part, or died right before.
        blobs = Blobs(live_mesh.empty.mesh.blob_url)
        await blobs.put(f"live/{started.session_id}/t01-late", b"late")
        await whole_alone(live_mesh, started.session_id)


async def test_lost_parts_fail_the_audio_and_nothing_else(
    live_mesh: LiveMesh, tmp_path: Path
) -> None:
    async with live_mesh.running() as (address, _), client_of(address) as client:
        async with talking(address) as talk:
            started = await talk.start(keeping())
            await talk.audio("ann", said([1]))
            await talk.durable("ann", 5)
            blobs = Blobs(live_mesh.empty.mesh.blob_url)
            assert await blobs.delete_prefix(f"live/{started.session_id}")
            await talk.end()
        events = [each async for each in client.watch_job(started.session_id)]
        done = events[-1].finished.job
        assert done.state == job.JOB_STATE_FAILED
        assert [each.reason for each in done.failures] == ["BLOB_MISSING"]
        assert done.results.raw_transcript == "w1"
        with pytest.raises(ClientError) as missing:
            await client.save_audio(started.session_id, tmp_path / "kept")
        assert missing.value.reason == "AUDIO_NOT_READY"


def block(folder: Path) -> None:
    """Makes the object store fail below a folder that is not there yet."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    folder.write_bytes(b"")


async def stored_parts(mesh: LiveMesh, session_id: str) -> AsyncIterator[str]:
    for key in await objects(mesh, session_id):
        if key.startswith("live/"):
            yield key
