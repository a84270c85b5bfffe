"""The stage speaks the summary of a job into a stored object."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from maie.speech.v1 import speech_pb2 as speech
from maie.summary.v1 import summary_pb2 as summary
from maie_core.durations import seconds
from maie_runtime import blob_writer
from maie_runtime.blobs import Blobs
from maie_runtime.worker.stage import StageContext
from maie_synthesis.settings import SynthesisSettings
from maie_synthesis.stage import SynthesizeStage, open_stage
from tests.synthesis.flite import needs_flite
from tests.synthesis.speaking import context

pytestmark = [pytest.mark.unit, needs_flite, pytest.mark.asyncio(loop_scope="module")]

# Not in alphabetical order, as of a template.
SCHEMA = (
    '{"type": "object", "properties": {"title": {"type": "string"}, "overview": {"type": "string"},'
    ' "action_items": {"type": "array", "items": {"type": "object", "properties":'
    ' {"task": {"type": "string"}, "owner": {"type": "string"}}}}}}'
)
FILLED = {
    "title": "Weekly sync",
    "overview": "The release moves to May 3.",
    "action_items": [{"task": "Write the notes", "owner": "Priya"}, {"task": "Call the bank"}],
}
TEXT = (
    "Weekly sync.\n\nOverview.\n\nThe release moves to May 3.\n\nAction items.\n\n"
    "Write the notes. Owner: Priya.\n\nCall the bank."
)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stage(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[SynthesizeStage]:
    blobs = Blobs(tmp_path_factory.mktemp("blobs").as_uri())
    async with open_stage(SynthesisSettings(slots=1), blobs) as opened:
        yield opened


async def _spoken(
    stage: SynthesizeStage, folder: Path, content: dict[str, Any], **how: Any
) -> tuple[list[float], speech.SpokenSummary, bytes]:
    """The progress, what was stored, and its audio."""
    request, at = await _request(folder, content, **how)
    *before, last = [response async for response in stage.run(request, at)]
    made = last.spoken_summary
    audio = await at.blobs.get(made.audio) if made.HasField("audio") else b""
    return [each.progress.fraction for each in before], made, audio


async def _request(
    folder: Path, content: dict[str, Any], **how: Any
) -> tuple[speech.SynthesizeRequest, StageContext]:
    """A request to speak a stored summary, and its context."""
    at = context(folder)
    filled = summary.SummarizeResult()
    filled.summary.content.update(content)
    source = speech.SummarySource(
        summary=await at.blobs.put_message("jobs/test/summary", filled),
        template=await at.blobs.put_message("template", summary.Template(schema_json=SCHEMA)),
    )
    options = {"voice": "kal16", "format": speech.AUDIO_FORMAT_MP3, **how}
    return speech.SynthesizeRequest(summary=source, **options), at


async def test_a_summary_is_spoken_in_the_order_of_its_template(
    stage: SynthesizeStage, tmp_path: Path
) -> None:
    progress, made, audio = await _spoken(stage, tmp_path, FILLED)
    digest = made.digest
    assert digest.text == TEXT
    assert made.audio.key.startswith("jobs/test/digest-audio-")
    assert digest.size_bytes == len(audio) > 10_000
    assert digest.format == speech.AUDIO_FORMAT_MP3
    marked = [TEXT[mark.text_offset :][: mark.text_length] for mark in digest.marks]
    assert marked[:3] == ["Weekly sync.", "Overview.", "The release moves to May 3."]
    assert {mark.kind for mark in digest.marks} == {speech.MARK_KIND_SENTENCE}
    assert digest.result.engine.engine == "flite"
    assert seconds(digest.result.duration) > seconds(digest.marks[-1].start_offset)
    assert progress == sorted(progress)
    assert progress[-1] == 1
    assert not digest.warnings


async def test_a_sentence_that_cannot_be_spoken_is_a_warning(
    stage: SynthesizeStage, tmp_path: Path
) -> None:
    content = {"title": "Sync", "overview": "One. Привет! Two."}
    _, made, audio = await _spoken(stage, tmp_path, content)
    (warning,) = made.digest.warnings
    assert warning.reason == "DIGEST_INCOMPLETE"
    assert warning.message.startswith("A sentence of the summary was not spoken, or not wholly: ")
    assert warning.metadata == {"sentences": "1"}
    (named,) = made.digest.result.unspoken
    assert made.digest.text[named.text_offset :][: named.text_length] == "Привет!"
    assert audio


async def test_an_empty_summary_has_no_audio_and_a_warning(
    stage: SynthesizeStage, tmp_path: Path
) -> None:
    progress, made, _ = await _spoken(stage, tmp_path, {})
    assert not progress
    assert not made.HasField("audio")
    assert [each.reason for each in made.digest.warnings] == ["DIGEST_INCOMPLETE"]
    response = speech.SynthesizeResponse(spoken_summary=made)
    assert stage.figures(None, response).warnings == ["DIGEST_INCOMPLETE"]  # type: ignore[arg-type]


async def test_a_summary_of_which_nothing_can_be_spoken_has_a_warning_and_stores_nothing(
    stage: SynthesizeStage, tmp_path: Path
) -> None:
    _, made, _ = await _spoken(stage, tmp_path, {"title": "Привет"})
    assert not made.HasField("audio")
    (warning,) = made.digest.warnings
    assert warning.reason == "DIGEST_INCOMPLETE"
    assert warning.message.startswith("The summary has nothing that the voice can speak")
    assert await _objects(tmp_path) == []


async def test_a_run_that_is_stopped_leaves_no_object_and_no_part_of_one(
    stage: SynthesizeStage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(blob_writer, "WRITE_PART_BYTES", 100_000)
    content = {"title": "Sync", "overview": "Many words are here. " * 1000}
    request, at = await _request(tmp_path, content, format=speech.AUDIO_FORMAT_WAV)
    async with aclosing(stage.run(request, at)) as responses:
        async for response in responses:
            if response.progress.fraction > 0.05 and await _objects(tmp_path):
                break
        assert response.progress.fraction < 1
    assert await _objects(tmp_path) == []


async def _objects(folder: Path) -> list[str]:
    """The stored audio, whole or not, and files in the making."""
    return await asyncio.to_thread(
        lambda: [path.name for path in folder.rglob("*digest-audio*") if path.is_file()]
    )
