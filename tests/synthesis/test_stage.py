"""The stage speaks any text, and says what it could not speak."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from math import nan
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from maie.speech.v1 import speech_pb2 as speech
from maie_core.durations import seconds
from maie_core.errors import StageError
from maie_core.limits import MAX_SPEECH_CHARACTERS
from maie_core.reasons import Reason
from maie_runtime.blobs import Blobs
from maie_synthesis.engine import SpokenPiece, UnspeakableError
from maie_synthesis.settings import SynthesisSettings
from maie_synthesis.speaking import MAX_CONTENT_BYTES, MAX_REPORTED
from maie_synthesis.stage import SynthesizeStage, open_stage
from maie_synthesis.text.tokens import Piece
from tests.synthesis.flite import needs_flite
from tests.synthesis.speaking import Heard, context, heard
from tests.waiting import until

pytestmark = [pytest.mark.unit, needs_flite, pytest.mark.asyncio(loop_scope="module")]

TEXT = "Hello, world. It began at 9:30.\n\nIt cost $5."
PCM = speech.AUDIO_FORMAT_PCM


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stage(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[SynthesizeStage]:
    blobs = Blobs(tmp_path_factory.mktemp("blobs").as_uri())
    async with open_stage(SynthesisSettings(slots=2, sentence_seconds=10), blobs) as opened:
        yield opened


async def said(stage: SynthesizeStage, tmp_path: Path, text: str = TEXT, **how: Any) -> Heard:
    request = speech.SynthesizeRequest(**{"text": text, "voice": "kal16", "format": PCM, **how})
    return await heard(stage.run(request, context(tmp_path)))


async def test_sentences_and_words_are_marked(stage: SynthesizeStage, tmp_path: Path) -> None:
    found = await said(stage, tmp_path)

    def texts(kind: speech.MarkKind) -> list[str]:
        marks = found.of(kind)
        return [TEXT[mark.text_offset :][: mark.text_length] for mark in marks]

    assert texts(speech.MARK_KIND_SENTENCE) == ["Hello, world.", "It began at 9:30.", "It cost $5."]
    words = ["Hello", "world", "It", "began", "at", "9:30", "It", "cost", "$5"]
    assert texts(speech.MARK_KIND_WORD) == words
    starts = [seconds(mark.start_offset) for mark in found.of(speech.MARK_KIND_WORD)]
    assert starts == sorted(starts)


async def test_the_result_says_how_it_was_made(stage: SynthesizeStage, tmp_path: Path) -> None:
    found = await said(stage, tmp_path)
    assert found.result is not None
    assert found.result.engine.engine == "flite"
    assert found.result.voice == "kal16"
    assert found.result.spoken_sentences == 3
    assert not found.result.unspoken
    assert seconds(found.result.duration) == pytest.approx(len(found.content) / 48_000, abs=0.001)


async def test_messages_are_bounded(stage: SynthesizeStage, tmp_path: Path) -> None:
    found = await said(stage, tmp_path, "Well, " * 40, speed=0.25)
    assert max(found.sizes) == MAX_CONTENT_BYTES


async def test_the_first_voice_is_the_default(stage: SynthesizeStage, tmp_path: Path) -> None:
    found = await said(stage, tmp_path, "Yes.", voice="")
    (model,) = stage.models()
    assert found.result is not None
    assert found.result.voice == model.voices[0].name
    assert {voice.engine for voice in model.voices} == {"flite"}


async def test_what_cannot_be_spoken_is_named_and_the_rest_is_spoken(
    stage: SynthesizeStage, tmp_path: Path
) -> None:
    text = "One. Привет! 😀😀. Two."
    found = await said(stage, tmp_path, text)
    assert found.result is not None
    assert found.result.spoken_sentences == 2
    named = [
        (each.reason, text[each.text_offset :][: each.text_length])
        for each in found.result.unspoken
    ]
    assert named == [
        (speech.UNSPOKEN_REASON_LEFT_OUT, "Привет!"),
        (speech.UNSPOKEN_REASON_NOTHING_TO_SPEAK, "😀😀."),
    ]
    assert found.result.unspoken_sentences == 2


async def test_a_sentence_at_which_the_engine_dies_is_named_and_the_rest_is_spoken(
    stage: SynthesizeStage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine: Any = stage._engine
    speak = engine.speak

    async def deadly(piece: Piece, voice: str, speed: float) -> SpokenPiece:
        if "second" not in piece.spoken:
            return await speak(piece, voice, speed)
        pids = engine._pool.pids
        for pid in pids:
            os.kill(pid, signal.SIGSTOP)
        call = asyncio.create_task(speak(piece, voice, speed))
        await asyncio.sleep(0.1)
        for pid in pids:
            os.kill(pid, signal.SIGKILL)
        # One that is still dying would take the third sentence with it.
        await until(lambda: not {*pids} & {*engine._pool.pids})
        return await call

    monkeypatch.setattr(engine, "speak", deadly)
    text = "The first. The second. The third."
    found = await said(stage, tmp_path, text)
    assert found.result is not None
    assert found.result.spoken_sentences == 2
    (named,) = found.result.unspoken
    assert named.reason == speech.UNSPOKEN_REASON_ENGINE_FAILED
    assert text[named.text_offset :][: named.text_length] == "The second."


async def test_reports_are_bounded(stage: SynthesizeStage, tmp_path: Path) -> None:
    found = await said(stage, tmp_path, "😀.\n\n" * 250 + "End.")
    assert found.result is not None
    assert len(found.result.unspoken) == MAX_REPORTED
    assert found.result.unspoken_sentences == 250


async def test_an_engine_that_speaks_nothing_is_an_error(
    stage: SynthesizeStage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def refuse(piece: Piece, voice: str, speed: float) -> SpokenPiece:
        raise UnspeakableError("It cannot.")

    monkeypatch.setattr(stage._engine, "speak", refuse)
    with pytest.raises(StageError, match="It cannot") as raised:
        await said(stage, tmp_path)
    assert raised.value.reason is Reason.ENGINE_FAILED


@pytest.mark.parametrize(
    "text",
    [
        "a\x00b and \x1b[31mred\x07",
        "<speak><break time='9999s'/>&lt;script&gt;alert(1)</speak>",
        "%s %n {} $(rm -rf /) `id` '; DROP TABLE jobs; --",
        "7" * 400,
        "x" * 3000,
        "٣ مرحبا بالعالم hello שלום",
        "👩‍👩‍👧‍👦 family \u202e reversed \ufeff \u200b hidden",
        "e\u0301" * 300 + " end",
        "_" * 500 + " a",
    ],
    ids=[
        "control",
        "markup",
        "shell",
        "digits",
        "no spaces",
        "right to left",
        "emoji",
        "accents",
        "marks",
    ],
)
async def test_hostile_texts_are_spoken(stage: SynthesizeStage, tmp_path: Path, text: str) -> None:
    found = await said(stage, tmp_path, text, speed=4)
    assert found.result is not None
    assert found.result.spoken_sentences > 0
    assert len(found.content) > 0


@pytest.mark.parametrize(
    ("how", "reason", "field"),
    [
        ({"text": ""}, Reason.TEXT_NOT_SPEAKABLE, "text"),
        ({"text": " \n"}, Reason.TEXT_NOT_SPEAKABLE, "text"),
        ({"text": "😀 你好"}, Reason.TEXT_NOT_SPEAKABLE, "text"),
        ({"text": "x" * (MAX_SPEECH_CHARACTERS + 1)}, Reason.TEXT_TOO_LONG, "text"),
        ({"voice": "nobody"}, Reason.SPEECH_VOICE_UNKNOWN, "voice"),
        ({"speed": 0.2}, Reason.OPTION_OUT_OF_RANGE, "speed"),
        ({"speed": 4.1}, Reason.OPTION_OUT_OF_RANGE, "speed"),
        ({"speed": -1}, Reason.OPTION_OUT_OF_RANGE, "speed"),
        ({"speed": nan}, Reason.OPTION_OUT_OF_RANGE, "speed"),
        ({"format": 99}, Reason.OPTION_OUT_OF_RANGE, "format"),
    ],
)
async def test_what_cannot_be_asked_is_refused(
    stage: SynthesizeStage, tmp_path: Path, how: dict[str, Any], reason: Reason, field: str
) -> None:
    with pytest.raises(StageError) as raised:
        await said(stage, tmp_path, **how)
    assert (raised.value.reason, raised.value.field) == (reason, field)


async def test_a_megabyte_is_spoken_from_its_start(stage: SynthesizeStage, tmp_path: Path) -> None:
    request = speech.SynthesizeRequest(text="Many words. " * 80_000, voice="kal16", format=PCM)
    responses = stage.run(request, context(tmp_path))
    found = Heard()
    for _ in range(10):
        found.take(await anext(responses))
    await responses.aclose()
    assert found.of(speech.MARK_KIND_SENTENCE)[-1].text_offset < 200
    assert (await said(stage, tmp_path, "Yes.")).result is not None
