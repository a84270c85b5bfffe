"""Fillers, which speech recognition left out."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator

import numpy as np
import pytest

from maie.alignment.v1 import alignment_pb2 as alignment
from maie_alignment.engine import SAMPLE_RATE, AlignedWord, Filler
from maie_alignment.engines.embedded.engine import EmbeddedEngine, create
from maie_alignment.engines.embedded.fillers import SpokenFiller, fillers_of
from maie_alignment.reading.audio import WholeAudio
from maie_alignment.reading.compare import Unit
from maie_alignment.reading.fillers import is_likely, with_fillers
from maie_alignment.reading.reader import Recording, read_along
from maie_alignment.settings import AlignmentSettings
from maie_alignment.text import text_words
from tests.alignment.readings import DASHWOOD, DASHWOOD_TEXT, read_audio, words_of
from tests.models.voices import flite
from tests.models.voices.flite import Manner

pytestmark = pytest.mark.unit


@pytest.fixture(name="engine", scope="module")
async def _engine() -> AsyncIterator[EmbeddedEngine]:
    async with create(AlignmentSettings()) as engine:
        yield engine


def test_fillers_are_named_with_their_places() -> None:
    said = ["<sil>", "so", "um", "so(2)", "(NULL)", "it", "[NOISE]", "was", "uh", "</s>"]
    found = fillers_of(["so", "it", "was"], said)
    assert [each.word for each in found] == ["um", "uh"]
    assert found[0].place in (0, 1)
    assert found[1] == SpokenFiller(3, "uh")


def test_a_filler_of_the_words_is_none_beside_them() -> None:
    assert fillers_of(["so", "um", "it"], ["so", "um", "it"]) == []


def test_fillers_come_before_the_word_of_their_number() -> None:
    units = [
        Unit(expected="so", word=0, outcome=alignment.WORD_OUTCOME_CORRECT),
        Unit(expected="it", word=1, outcome=alignment.WORD_OUTCOME_SKIPPED),
        Unit(expected="was", word=2, outcome=alignment.WORD_OUTCOME_CORRECT),
    ]
    fillers = [Filler(place=1, text="um"), Filler(place=2, text="uh")]
    made = with_fillers(units, ["so", "", "was"], fillers)
    assert [(unit.expected or unit.heard, added) for unit, added in made] == [
        ("so", False),
        ("it", False),
        ("um", True),
        ("was", False),
        ("uh", True),
    ]
    outcomes = {unit.outcome for unit, added in made if added}
    assert outcomes == {alignment.WORD_OUTCOME_FILLER}


@pytest.mark.parametrize(
    ("seconds", "score", "likely"),
    [(0.3, 0.9, True), (0.2, 0.9, False), (1.1, 0.9, False), (0.3, 0.1, False)],
)
def test_short_and_stretched_ones_do_not_count(seconds, score, likely) -> None:
    word = AlignedWord(
        text="um",
        start=1.0,
        end=1.0 + seconds,
        score=score,
        in_dictionary=True,
        phones=(),
        letters=(),
    )
    assert is_likely(word) is likely
    assert not is_likely(None)


async def test_a_word_that_is_said_twice_is_no_filler(engine) -> None:
    samples, words = read_audio(DASHWOOD), words_of(DASHWOOD_TEXT)
    word = (await engine.align(samples, words))[words.index("leisure")]
    start, end = round(word.start * SAMPLE_RATE), round(word.end * SAMPLE_RATE)
    assert await _beside(engine, np.concatenate([samples[:end], samples[start:]])) == []
    assert await _beside(engine, samples) == []


@pytest.mark.skipif(not shutil.which("flite"), reason="`apt install flite` brings the program")
async def test_an_um_is_found_by_its_sound(engine) -> None:
    samples, words = read_audio(DASHWOOD), words_of(DASHWOOD_TEXT)
    filler, _ = flite.speak("um", Manner(voice="rms"))
    place = round((await engine.align(samples, words))[words.index("leisure")].start * SAMPLE_RATE)
    spliced = np.concatenate([samples[:place], filler, samples[place:]])
    assert await _beside(engine, spliced) == [("um", alignment.WORD_OUTCOME_FILLER)]


async def test_a_process_that_looks_for_fillers_still_aligns(engine) -> None:
    samples, words = read_audio(DASHWOOD), words_of(DASHWOOD_TEXT)
    before = await engine.align(samples, words)
    assert await engine.fillers(samples[:100], words) == []
    assert await engine.fillers(samples, ["…"]) == []
    assert await engine.align(samples, words) == before


async def _beside(engine, samples) -> list[tuple[str, int]]:
    """What is said beside the text where recognition heard the text."""
    recording = Recording(audio=WholeAudio(samples), text=text_words(DASHWOOD_TEXT), heard=None)
    *_, reading = [update async for update in read_along(recording, engine)]
    assert isinstance(reading, alignment.Reading)
    return [(word.text, word.outcome) for word in reading.words if not word.HasField("text_offset")]
