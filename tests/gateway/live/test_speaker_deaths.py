"""A gateway that is killed while people share a track loses and doubles no speaker."""

from __future__ import annotations

import os
import signal

import grpc
import numpy as np
import pytest

from maie.live.v1 import live_pb2 as live
from maie_diarization.clustering.linkage import Floats
from maie_runtime.bus.session_log import SessionLog
from tests.diarization.voices import DIMENSIONS
from tests.embeddings import leaks
from tests.gateway.live.conftest import LiveMesh
from tests.gateway.live.conversation import Conversation, talking
from tests.gateway.live.loud_asr import LEVEL_STEP
from tests.gateway.live.running import gateway_process
from tests.gateway.live.speech import pieces
from tests.gateway.live.test_exactly_once import durable, sequences
from tests.gateway.live.test_speakers import finished, labels, shared, speech

pytestmark = pytest.mark.mesh

ANN, BEN = 1, 2
# Somebody says these words in a voice that is between theirs, so that both turn out to be one.
BETWEEN = (3, 4, 5, 6, 7, 8, 9, 10)
WORDS = (ANN, ANN, BEN, BEN, *BETWEEN, BEN, ANN)
FEW, MANY = 4, 12
MESSAGES_OF_FEW = len(list(pieces(speech(*WORDS[:FEW]))))


def sound(voice: int) -> Floats:
    """How somebody sounds."""
    axes, _ = np.linalg.qr(np.random.default_rng(1).normal(size=(DIMENSIONS, 2)))
    # Half alike, which is too little for one speaker, and a third voice that is more so to both.
    degrees = {ANN: 0, BEN: 60}.get(voice, 30)
    angle = np.radians(degrees)
    made: Floats = (axes @ [np.cos(angle), np.sin(angle)]).astype(np.float32)
    return made


def who(level: int) -> int:
    """Who says a word of a level."""
    return round((level - 1000) / LEVEL_STEP)


async def send(talk: Conversation, first: int, words: int = len(WORDS)) -> None:
    """Sends what is said up to the end of so many words, from a message on."""
    for number, content in enumerate(pieces(speech(*WORDS[:words])), start=1):
        if number >= first:
            audio = live.TrackAudio(track="room", sequence=number, content=content)
            await talk.send(audio=audio)


async def embeddings(mesh: LiveMesh, session_id: str) -> set[bytes]:
    """All embeddings that a session's log has."""
    logged = await SessionLog(mesh.broker).read(session_id)
    return {
        speaker.embedding for each in logged for speaker in each.entry.voices_known.known.speakers
    }


@pytest.mark.parametrize(
    "merged",
    [pytest.param(False, id="two"), pytest.param(True, id="one", marks=pytest.mark.slow)],
)
async def test_labels_and_updates_go_on_at_another_gateway(
    live_mesh: LiveMesh, *, merged: bool
) -> None:
    """While they are two, and after both turned out to be one."""
    async with (
        live_mesh.diarization(who, sound=sound),
        live_mesh.replica(),
        live_mesh.gateway(settle_seconds=1.0) as address,
    ):
        dying = gateway_process(live_mesh.empty, MAIE_GATEWAY_LIVE_SETTLE_SECONDS="1")
        async with dying as (first, process), talking(first) as talk:
            started = await talk.start(shared())
            await send(talk, 1, FEW)
            # The third is of the second person. Nobody is updated who was never named.
            await talk.next("speaker_labels", 3)
            if merged:
                await send(talk, MESSAGES_OF_FEW + 1, MANY)
                await talk.next("speaker_update")
            os.kill(process.pid, signal.SIGKILL)
            assert (await talk.failure())[0] is grpc.StatusCode.UNAVAILABLE
        async with talking(address) as again:
            resumed = await again.resume(started, after=max(sequences(talk)))
            await send(again, durable(resumed, "room") + 1)
            await again.end()
        done = await finished(address, started.session_id)
        known = await embeddings(live_mesh, started.session_id)

    seen = sequences(talk, again)
    assert seen == list(range(1, len(seen) + 1))
    finals = [f"room:w{number}" for number in WORDS]
    assert talk.finals() + again.finals() == finals
    told = labels(talk, again)
    assert list(told) == [f"t01-u{number:04d}" for number in range(1, len(WORDS) + 1)]
    assert list(told.values())[:4] == ["S1", "S1", "S2", "S2"]
    (update,) = [each.speaker_update for of in (talk, again) for each in of.of("speaker_update")]
    assert (update.old, update.new) == ("S2", "S1")
    assert {each.speaker for each in done.results.segments} == {"S1"}
    assert len(known) > 1
    for of in (talk, again):
        for each in of.events:
            assert not any(leaks(each.SerializeToString(), voice) for voice in known)
    assert [each.text for each in done.results.segments] == [f"w{number}" for number in WORDS]
