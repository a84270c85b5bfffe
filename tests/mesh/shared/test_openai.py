"""Real speech through a real mesh by OpenAI's client: words, times, subtitles and a stream."""

from __future__ import annotations

from pathlib import Path

import pytest
from openai import AsyncOpenAI

from maie_client import Client
from tests.mesh.conftest import RunningMesh
from tests.web.conftest import key_of, web_before
from tests.web.openai.conftest import client_at

pytestmark = pytest.mark.mesh

SECONDS = 9.0


async def test_speech_becomes_text_with_times(
    shared_mesh: RunningMesh, short_recording: Path
) -> None:
    async with (
        Client(shared_mesh.gateway) as client,
        web_before(client) as web,
        client_at(web.url, await key_of(client)) as openai,
    ):
        models = [each.id for each in (await openai.models.list()).data]
        assert len(models) == 3
        verbose = await openai.audio.transcriptions.create(
            file=short_recording,
            model=models[1],
            response_format="verbose_json",
            timestamp_granularities=["word", "segment"],
        )
        assert verbose.language == "english"
        assert verbose.duration == pytest.approx(SECONDS, abs=0.01)
        assert verbose.words
        assert verbose.segments
        starts = [word.start for word in verbose.words]
        assert starts == sorted(starts)
        assert all(0 <= word.start < word.end <= SECONDS for word in verbose.words)
        assert " ".join(each.text for each in verbose.segments) == verbose.text
        assert verbose.text[0].isupper()
        assert verbose.text.endswith(".")
        assert await _streamed(openai, short_recording) == verbose.text


async def _streamed(openai: AsyncOpenAI, recording: Path) -> str:
    events = [
        event
        async for event in await openai.audio.transcriptions.create(
            file=recording, model="whisper-1", stream=True
        )
    ]
    assert events[-1].type == "transcript.text.done"
    assert "".join(each.delta for each in events[:-1]) == events[-1].text  # type: ignore[union-attr]
    return events[-1].text
