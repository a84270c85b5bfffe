"""The engine `embedded`, with real readings."""

from __future__ import annotations

import asyncio
import itertools
import json
from collections.abc import AsyncIterator

import numpy as np
import pytest

from maie_alignment.engine import SAMPLE_RATE, AlignedWord
from maie_alignment.engines.embedded.decoder import MODEL_FILES, packaged_model
from maie_alignment.engines.embedded.engine import EmbeddedEngine, create
from maie_alignment.settings import AlignmentSettings, EmbeddedSettings
from maie_core.errors import StageError
from maie_core.reasons import Reason
from tests.alignment.readings import (
    AMIABLE,
    AMIABLE_TEXT,
    DASHWOOD,
    DASHWOOD_TEXT,
    ROOT,
    read_audio,
    words_of,
)

pytestmark = pytest.mark.unit

# The boundaries by which it is measured are themselves of a recogniser with steps of 20 ms.
NEAR_SECONDS = 0.12


@pytest.fixture(name="engine", scope="module")
async def _engine() -> AsyncIterator[EmbeddedEngine]:
    async with create(AlignmentSettings()) as engine:
        yield engine


async def test_words_are_where_another_recogniser_has_them(engine):
    sentences = json.loads((ROOT / "tests/data/readings/sentences.json").read_text("utf-8"))
    ends = next(each["word_ends"] for each in sentences if DASHWOOD.name in each["file"])
    found = await engine.align(read_audio(DASHWOOD), words_of(DASHWOOD_TEXT))
    near = [abs(word.end - end) < NEAR_SECONDS for word, end in zip(found, ends, strict=True)]
    assert [word.text for word in found] == words_of(DASHWOOD_TEXT)
    assert sum(near) >= 0.8 * len(near)


async def test_sounds_and_letters_fill_their_word(engine):
    found = await engine.align(read_audio(DASHWOOD), words_of(DASHWOOD_TEXT))
    for word in found:
        for parts in (word.phones, word.letters):
            edges = [part.start for part in parts] + [word.end]
            assert edges[0] == word.start
            assert edges == sorted(edges)
            assert [part.end for part in parts] == pytest.approx(edges[1:])
        assert "".join(letter.text for letter in word.letters) == word.text
    assert [phone.symbol for phone in found[2].phones] == ["JH", "AA", "N"]
    for before, after in itertools.pairwise(found):
        assert before.end <= after.start


async def test_a_word_that_was_not_said_scores_low(engine):
    words = words_of(AMIABLE_TEXT)
    other = ["holiday" if word == "respectable" else word for word in words]
    samples = read_audio(AMIABLE)
    said = {word.text: word for word in await engine.align(samples, words)}
    found = {word.text: word for word in await engine.align(samples, other)}
    assert said["respectable"].score > 0.9
    assert found["holiday"].score < 0.1
    assert found["amiable"].score == pytest.approx(said["amiable"].score, abs=0.05)


async def test_a_word_out_of_the_dictionary_is_guessed(engine):
    words = ["dashwoodd" if word == "dashwood" else word for word in words_of(DASHWOOD_TEXT)]
    found = await engine.align(read_audio(DASHWOOD), words)
    assert [word.text for word in found if not word.in_dictionary] == ["dashwoodd"]
    assert min(word.score for word in found if not word.in_dictionary) > 0.5


async def test_what_nobody_can_speak_is_left_out(engine):
    words = words_of(DASHWOOD_TEXT)
    found = await engine.align(read_audio(DASHWOOD), ["中", *words, "-"])
    assert [word.text for word in found] == words


@pytest.mark.parametrize("seconds", [0, 0.01, 0.1])
async def test_audio_that_is_too_short_has_no_words(engine, seconds):
    samples = np.zeros(round(seconds * SAMPLE_RATE), np.int16)
    assert await engine.align(samples, words_of(DASHWOOD_TEXT)) == []


async def test_a_call_does_not_change_the_next(engine):
    samples = read_audio(AMIABLE)
    first = await engine.align(samples, words_of(AMIABLE_TEXT))
    await engine.align(np.zeros(SAMPLE_RATE, np.int16), ["zyzzogeton"])
    assert times(await engine.align(samples, words_of(AMIABLE_TEXT))) == times(first)


async def test_a_cancelled_call_leaves_the_engine_working(engine):
    samples = np.tile(read_audio(AMIABLE), 6)
    running = asyncio.create_task(engine.align(samples, words_of(AMIABLE_TEXT) * 6))
    await asyncio.sleep(0.1)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert await engine.align(read_audio(AMIABLE), words_of(AMIABLE_TEXT))


async def test_a_damaged_model_is_refused(tmp_path):
    for name in MODEL_FILES:
        (tmp_path / name).parent.mkdir(exist_ok=True, parents=True)
        (tmp_path / name).write_bytes((packaged_model() / name).read_bytes())
    (tmp_path / "en-us/mdef").write_bytes(b"no model")
    settings = AlignmentSettings(embedded=EmbeddedSettings(model_path=tmp_path))
    with pytest.raises(StageError) as refused:
        async with create(settings):
            pass
    assert refused.value.reason == Reason.MODEL_CORRUPT


async def test_a_missing_model_is_named(tmp_path):
    settings = AlignmentSettings(embedded=EmbeddedSettings(model_path=tmp_path))
    with pytest.raises(StageError, match="MAIE_ALIGNMENT_EMBEDDED_MODEL_PATH") as refused:
        async with create(settings):
            pass
    assert refused.value.reason == Reason.MODEL_MISSING


def times(words: list[AlignedWord]) -> list[tuple[float, float]]:
    return [(word.start, word.end) for word in words]
