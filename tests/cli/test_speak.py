"""`maie speak`: a text, a file or the summary of a job, into a file."""

from __future__ import annotations

import json
import os
import wave
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from maie_cli.mesh.voice import has_voice
from maie_client import Client
from maie_formats.aloud import aloud
from maie_formats.summary import Item, Reading, Section
from tests.cli.command import maie_at
from tests.gateway.conftest import EmptyMesh, shared_mesh  # noqa: F401 - a fixture
from tests.synthesis.flite import is_installed, needs_flite
from tests.synthesis.mesh import with_voice
from tests.synthesis.test_audio import decoded

pytestmark = pytest.mark.mesh


@pytest.fixture(scope="module")
async def client(shared_mesh: EmptyMesh) -> Any:  # noqa: F811
    async with with_voice(shared_mesh).running() as client:
        yield client


async def recording() -> AsyncIterator[bytes]:
    """A recording that empty stages do not look at."""
    yield b"sound"


async def speak(client: Client, *arguments: str) -> tuple[int, str, str]:
    return await maie_at(client.address, "speak", *arguments)


@needs_flite
async def test_a_text_is_a_file_whose_head_has_its_length(client: Client, tmp_path: Path) -> None:
    output = tmp_path / "made.wav"
    code, printed, noted = await speak(client, "Hello there.", "--output", str(output))
    assert (code, printed) == (0, "")
    assert "1 sentences" in noted
    with wave.open(str(output)) as file:
        assert file.getframerate() == 24_000
        assert 0.5 < file.getnframes() / 24_000 < 3
    assert os.listdir(tmp_path) == ["made.wav"]


@needs_flite
@pytest.mark.parametrize("name", ["made.mp3", "made.opus", "made.ogg", "made.flac"])
async def test_the_ending_says_the_format(client: Client, tmp_path: Path, name: str) -> None:
    output = tmp_path / name
    arguments = ("Yes.", "--output", str(output), "--voice", "kal16", "--speed", "2")
    code, _, _ = await speak(client, *arguments)
    assert code == 0
    assert len(decoded(output.read_bytes())[0]) > 1000


@needs_flite
async def test_a_file_is_spoken_and_what_is_not_is_named(client: Client, tmp_path: Path) -> None:
    source, output = tmp_path / "text.txt", tmp_path / "made.wav"
    source.write_text("One. Привет. Two.", encoding="utf-8")
    arguments = ("--file", str(source), "--output", str(output), "--json")
    code, printed, noted = await speak(client, *arguments)
    assert code == 0
    assert json.loads(printed)["spoken_sentences"] == 2
    assert "not spoken: characters 5 to 12: 6 letters" in noted


@needs_flite
async def test_voices_are_listed(client: Client) -> None:
    code, printed, _ = await speak(client, "--voices")
    assert code == 0
    assert "slt" in printed
    code, printed, _ = await speak(client, "--voices", "--json")
    assert json.loads(printed.splitlines()[0])["engine"] == "flite"


@needs_flite
async def test_a_summary_is_spoken(client: Client, tmp_path: Path) -> None:
    output = tmp_path / "made.wav"
    events = client.process(recording(), template_id="meeting_notes_v1")
    done = [each async for each in events][-1].finished.job
    code, _, noted = await speak(client, "--job", done.job_id, "--output", str(output))
    assert code == 0, noted
    assert output.exists()


@needs_flite
@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "name one of TEXT"),
        (("a", "--job", "b"), "name one of TEXT"),
        (("a",), "--output"),
        (("a", "--output", "b.aac"), "choose a format"),
        (("a", "--output", "b.wav", "--voice", "nobody"), "slt, rms"),
        (("a", "--output", "/nowhere/b.wav"), "cannot be written"),
        (("--file", "/nowhere/a.txt", "--output", "b.wav"), "cannot be read"),
    ],
)
async def test_wrong_usage_leaves_no_file(
    client: Client,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    arguments: tuple[str, ...],
    said: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    code, _, error = await speak(client, *arguments)
    assert code == 2
    assert said in " ".join(error.split())
    assert not os.listdir(tmp_path)


def test_a_summary_is_read_section_by_section() -> None:
    items = (Item(text="Send it", details=(("Owner", "Priya"),)), Item(text="Really?"))
    sections = (Section(title="Action items", items=items, is_list=True),)
    view = Reading(title="Standup", sections=sections)
    assert aloud(view) == "Standup.\n\nAction items.\n\nSend it. Owner: Priya.\n\nReally?"


def test_a_mesh_speaks_where_flite_is_or_another_engine_is_named() -> None:
    assert has_voice({}) is is_installed()
    assert has_voice({"MAIE_SYNTHESIS_ENGINE": "other"})
