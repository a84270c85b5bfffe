"""What every engine promises, for every engine that is here."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from itertools import pairwise

import numpy as np
import pytest
import pytest_asyncio

from maie_synthesis.engine import Engine, SpokenPiece
from maie_synthesis.text.normaliser import pieces
from maie_synthesis.text.tokens import Piece
from tests.synthesis.engine_cases import CASES, Case, cases

pytestmark = [pytest.mark.unit, pytest.mark.asyncio(loop_scope="module")]

TEXT = "The meeting of May 3, 2024 began at 9:30, and it cost $5."


@pytest_asyncio.fixture(scope="module", loop_scope="module", params=cases())
async def opened(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[tuple[Case, Engine]]:
    case = CASES[request.param]
    async with case.create(case.settings(tmp_path_factory.mktemp(request.param))) as engine:
        yield case, engine


def piece(text: str = TEXT) -> Piece:
    (found,) = pieces(text)
    return found


async def spoken(engine: Engine, text: str = TEXT, speed: float = 1.0) -> SpokenPiece:
    return await engine.speak(piece(text), engine.voices[0].name, speed)


async def test_it_says_what_it_is(opened: tuple[Case, Engine]) -> None:
    _, engine = opened
    version = engine.version
    assert version.engine
    assert version.library
    assert re.fullmatch("[0-9a-f]{64}", version.checkpoint_sha256)
    assert engine.description.endswith(".")
    assert engine.voices


async def test_every_voice_speaks_in_a_way_of_its_own(opened: tuple[Case, Engine]) -> None:
    _, engine = opened
    made = [await engine.speak(piece(), voice.name, 1.0) for voice in engine.voices]
    for each in made:
        assert each.samples.dtype == np.int16
        assert each.samples.ndim == 1
        assert each.rate in (8_000, 16_000, 22_050, 24_000)
        # Neither silence nor clipped.
        assert 1000 < np.abs(each.samples.astype(int)).max() <= 32767
    assert len({each.samples.tobytes() for each in made}) == len(made)


async def test_the_same_text_is_the_same_speech(opened: tuple[Case, Engine]) -> None:
    _, engine = opened
    first, again = await spoken(engine), await spoken(engine)
    # The noise in it may be another.
    assert (first.duration, first.tokens) == (again.duration, again.tokens)


async def test_words_are_told_in_order_within_the_audio(opened: tuple[Case, Engine]) -> None:
    case, engine = opened
    if not case.tells_words:
        pytest.skip("the engine does not say when words are spoken")
    made = await spoken(engine)
    assert [each.token for each in made.tokens] == list(range(len(piece().tokens)))
    assert all(0 <= each.start <= each.end <= made.duration for each in made.tokens)
    assert all(one.end <= other.start + 0.001 for one, other in pairwise(made.tokens))
    assert sum(each.end - each.start for each in made.tokens) > made.duration / 2


@pytest.mark.parametrize("speed", [0.25, 0.5, 2.0, 4.0])
async def test_speed_is_the_pace(opened: tuple[Case, Engine], speed: float) -> None:
    _, engine = opened
    usual, changed = await spoken(engine), await spoken(engine, speed=speed)
    assert changed.duration == pytest.approx(usual.duration / speed, rel=0.25)


async def test_calls_may_overlap(opened: tuple[Case, Engine]) -> None:
    _, engine = opened
    texts = [f"This is text number {number}." for number in range(6)]
    alone = [await spoken(engine, text) for text in texts]
    together = await asyncio.gather(*(spoken(engine, text) for text in texts))
    for one, other in zip(alone, together, strict=True):
        assert (one.duration, one.tokens) == (other.duration, other.tokens)


async def test_a_cancelled_call_does_not_harm_others(opened: tuple[Case, Engine]) -> None:
    _, engine = opened
    for _ in range(3):
        call = asyncio.create_task(spoken(engine, "A long text, " * 20 + "speaks.", 0.25))
        await asyncio.sleep(0.01)
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
    assert (await spoken(engine)).duration > 1


@pytest.mark.parametrize(
    "text", ["7" * 280, "a" * 280, "a " * 140, "x", "?!" * 10 + "a", "b" * 140 + " " + "c" * 139]
)
async def test_odd_pieces_are_spoken(opened: tuple[Case, Engine], text: str) -> None:
    _, engine = opened
    assert len((await spoken(engine, text)).samples) > 0
