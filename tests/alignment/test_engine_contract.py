"""What every engine promises, for every engine that is here."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from itertools import pairwise

import numpy as np
import pytest
import pytest_asyncio

from maie_alignment.engine import SAMPLE_RATE, AlignedWord, Engine
from tests.alignment.engine_cases import CASES, Case, cases

pytestmark = [pytest.mark.unit, pytest.mark.asyncio(loop_scope="module")]


@pytest_asyncio.fixture(scope="module", loop_scope="module", params=cases())
async def opened(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[tuple[Case, Engine]]:
    case = CASES[request.param]
    async with case.create(case.settings(tmp_path_factory.mktemp(request.param))) as engine:
        yield case, engine


async def test_it_says_what_it_is(opened: tuple[Case, Engine]) -> None:
    case, engine = opened
    version = engine.version
    assert version.engine
    assert version.library
    if case.is_remote:
        assert version.parameters["model_version"]
        sha256 = version.parameters["vocabulary_sha256"]
    else:
        assert version.device == "cpu"
        sha256 = version.checkpoint_sha256
    assert re.fullmatch("[0-9a-f]{64}", sha256)
    assert engine.description.endswith(".")
    assert engine.language_codes == ("en",)
    assert engine.max_seconds >= 30


async def test_words_are_found_in_order_within_the_audio(opened: tuple[Case, Engine]) -> None:
    case, engine = opened
    samples, words = case.audio()
    found = await engine.align(samples, words)
    assert [word.text for word in found] == list(words)
    assert all(0 <= word.start < word.end <= len(samples) / SAMPLE_RATE for word in found)
    assert all(before.end <= after.start for before, after in pairwise(found))
    assert all(0 <= word.score <= 1 for word in found)
    assert all(word.in_dictionary for word in found)


async def test_sounds_and_letters_fill_their_word(opened: tuple[Case, Engine]) -> None:
    case, engine = opened
    for word in await engine.align(*case.audio()):
        assert bool(word.phones) == case.has_phones
        for parts in (word.phones, word.letters) if case.has_phones else (word.letters,):
            edges = [part.start for part in parts] + [word.end]
            assert edges[0] == word.start
            assert edges == sorted(edges)
            assert [part.end for part in parts] == pytest.approx(edges[1:])
        assert "".join(letter.text for letter in word.letters) == word.text


async def test_a_score_says_whether_a_word_was_spoken(opened: tuple[Case, Engine]) -> None:
    case, engine = opened
    if not case.hears:
        pytest.skip("its model is random")
    samples, words = case.audio()
    spoken, other = case.wrong
    right = await engine.align(samples, words)
    wrong = await engine.align(samples, [other if word == spoken else word for word in words])
    assert sum(word.score >= 0.5 for word in right) >= 0.9 * len(words)
    assert named(right, spoken).score > 0.5
    assert named(wrong, other).score < 0.5


async def test_what_nobody_can_speak_is_left_out(opened: tuple[Case, Engine]) -> None:
    case, engine = opened
    samples, words = case.audio()
    found = await engine.align(samples, ["中", *words, "-"])
    assert [word.text for word in found] == list(words)


@pytest.mark.parametrize("seconds", [0, 0.001, 0.01, 0.1])
async def test_audio_that_is_too_short_has_no_words(
    opened: tuple[Case, Engine], seconds: float
) -> None:
    case, engine = opened
    _, words = case.audio()
    assert await engine.align(np.zeros(round(seconds * SAMPLE_RATE), np.int16), words) == []


async def test_a_text_without_words_has_none(opened: tuple[Case, Engine]) -> None:
    case, engine = opened
    samples, _ = case.audio()
    assert await engine.align(samples, []) == []
    assert await engine.align(samples, ["…"]) == []


async def test_a_text_that_is_far_too_long_has_no_words(opened: tuple[Case, Engine]) -> None:
    case, engine = opened
    samples, words = case.audio()
    assert await engine.align(samples, [*words] * 500) == []


async def test_calls_may_overlap(opened: tuple[Case, Engine]) -> None:
    case, engine = opened
    samples, words = case.audio()
    alone = times(await engine.align(samples, words))
    together = await asyncio.gather(*(engine.align(samples, words) for _ in range(5)))
    assert all(times(each) == alone for each in together)


async def test_a_cancelled_call_does_not_harm_others(opened: tuple[Case, Engine]) -> None:
    case, engine = opened
    samples, words = case.audio()
    long = np.tile(samples, 4)
    for _ in range(3):
        call = asyncio.create_task(engine.align(long, [*words] * 4))
        await asyncio.sleep(0.01)
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
    assert len(await engine.align(samples, words)) == len(words)


def named(words: list[AlignedWord], text: str) -> AlignedWord:
    return next(word for word in words if word.text == text)


def times(words: list[AlignedWord]) -> list[tuple[str, float, float]]:
    return [(word.text, round(word.start, 3), round(word.end, 3)) for word in words]
