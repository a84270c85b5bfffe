"""`maie process --feature digest`: the summary as speech, beside the other results."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import Any

import pytest
import typer

from maie.speech.v1 import speech_pb2 as speech
from maie_cli.arguments import FeatureName
from maie_cli.commands.process import DEFAULT_TEMPLATE, job_options
from maie_cli.commands.speak import _summary
from maie_cli.digests import digest_options
from maie_client import Client
from tests.cli.command import maie_at
from tests.gateway.conftest import EmptyMesh, shared_mesh  # noqa: F401 - a fixture
from tests.gateway.speech.test_digest import SPOKEN, options, speaking
from tests.gateway.test_jobs import process
from tests.synthesis.flite import needs_flite
from tests.synthesis.test_audio import decoded

pytestmark = pytest.mark.mesh

DIGEST = [FeatureName.DIGEST]


@pytest.fixture(scope="module")
async def client(shared_mesh: EmptyMesh) -> Any:  # noqa: F811
    async with speaking(shared_mesh).running() as client:
        yield client


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    path = tmp_path / "talk.mp3"
    path.write_bytes(b"sound")
    return path


async def run(client: Client, *arguments: object) -> tuple[int, str, str]:
    return await maie_at(client.address, *arguments)


@needs_flite
async def test_the_audio_is_beside_the_results_and_the_recording(
    client: Client, recording: Path
) -> None:
    asked = ("--feature", "digest", "--voice", "kal16", "--speed", "2", "--speech-format", "mp3")
    folder = recording.parent
    code, printed, noted = await run(client, "process", recording, *asked, "--output", folder)
    assert code == 0, noted
    path = folder / "talk.digest.mp3"
    assert str(path) in printed
    assert await asyncio.to_thread(recording.read_bytes) == b"sound"
    samples, rate = decoded(path.read_bytes())
    assert len(samples) / rate > 1
    assert {"talk.json", "talk.mp3"} <= set(os.listdir(folder))
    (newest,) = [each async for each in client.list_jobs(page_size=1)][:1]
    again = folder / "again.mp3"
    code, printed, _ = await run(client, "jobs", "audio", newest.job_id, again, "--digest")
    assert code == 0
    assert again.read_bytes() == path.read_bytes()


@needs_flite
async def test_what_cannot_be_written_is_said(client: Client, recording: Path) -> None:
    taken = recording.parent / "out" / "talk.digest.mp3"
    taken.mkdir(parents=True)
    asked = ("--feature", "digest", "--output", taken.parent)
    code, _, errors = await run(client, "process", recording, *asked)
    assert code == 2
    assert "talk.digest.mp3" in errors


@needs_flite
async def test_a_voice_that_there_is_not_is_refused(client: Client, recording: Path) -> None:
    asked = ("--feature", "digest", "--voice", "nobody")
    code, _, errors = await run(client, "process", recording, *asked)
    assert code == 2
    assert "There is no voice of this name" in errors


@needs_flite
async def test_a_summary_is_spoken_in_the_order_of_its_template(client: Client) -> None:
    done = (await process(client, **options(features=("summary",))))[-1].finished.job
    assert await _summary(client, done.job_id) == SPOKEN


@pytest.mark.unit
def test_the_options_of_a_digest_are_those_of_the_contract() -> None:
    made = digest_options("rms", 1.5, "opus", DIGEST)
    expected = speech.SpeechOptions(voice="rms", speed=1.5, format=speech.AUDIO_FORMAT_OPUS)
    assert made == {"speech_options": expected}
    assert digest_options("", None, "", DIGEST) == {}


@pytest.mark.unit
@pytest.mark.parametrize(
    ("audio_format", "features", "message"),
    [("aac", DIGEST, "choose one of wav"), ("mp3", [FeatureName.SUMMARY], "--feature digest")],
)
def test_options_that_mean_nothing_are_refused(
    audio_format: str, features: list[FeatureName], message: str
) -> None:
    with pytest.raises(typer.BadParameter, match=message):
        digest_options("", None, audio_format, features)


@pytest.mark.unit
def test_a_digest_brings_its_summary_and_a_template() -> None:
    made = job_options(DIGEST, "", "", None)
    assert made["features"] == [FeatureName.DIGEST, FeatureName.SUMMARY]
    assert made["template_id"] == DEFAULT_TEMPLATE
    named = job_options([FeatureName.SUMMARY, FeatureName.DIGEST], "own_v1", "", None)
    assert named["features"] == [FeatureName.SUMMARY, FeatureName.DIGEST]
    assert named["template_id"] == "own_v1"
