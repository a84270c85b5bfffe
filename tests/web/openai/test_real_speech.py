"""Real speech through a real mesh by OpenAI's client: words, times, subtitles and a stream."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from openai import AsyncOpenAI

from maie_client import Client
from tests.mesh.conftest import RunningMesh, sample_audio, start_mesh, write_wav
from tests.web.conftest import Web, key_of, web_before
from tests.web.openai.conftest import client_at

pytestmark = pytest.mark.mesh

SECONDS = 9.0


@pytest.fixture(scope="module")
def mesh(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningMesh]:
    """A mesh whose engine needs no model."""
    running = start_mesh(tmp_path_factory.mktemp("mesh") / "data", "--profile", "tiny")
    with running.process:
        yield running
        running.stop()


@pytest.fixture
async def web(mesh: RunningMesh) -> AsyncIterator[Web]:
    """A web part before it."""
    async with Client(mesh.gateway) as client, web_before(client) as web:
        yield web


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    """Two sentences."""
    path = tmp_path / "two sentences.wav"
    write_wav(path, sample_audio(SECONDS))
    return path


async def test_speech_becomes_text_with_times(web: Web, recording: Path) -> None:
    async with client_at(web.url, await key_of(web.grpc)) as openai:
        models = [each.id for each in (await openai.models.list()).data]
        assert len(models) == 2
        verbose = await openai.audio.transcriptions.create(
            file=recording,
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
        assert await _streamed(openai, recording) == verbose.text


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
