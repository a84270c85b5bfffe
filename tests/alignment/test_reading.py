"""Readings with planted errors: the audio is real, and the text or what was heard is changed."""

from __future__ import annotations

from collections.abc import AsyncIterator

import numpy as np
import pytest

from maie.alignment.v1 import alignment_pb2 as alignment
from maie_alignment.engine import SAMPLE_RATE
from maie_alignment.engines.embedded.engine import EmbeddedEngine, create
from maie_alignment.reading.audio import WholeAudio
from maie_alignment.reading.compare import HeardWord
from maie_alignment.reading.reader import Recording, read_along
from maie_alignment.settings import AlignmentSettings
from maie_alignment.text import text_words
from maie_core.durations import seconds
from tests.alignment.readings import AMIABLE, AMIABLE_TEXT, heard, read_audio

pytestmark = pytest.mark.unit


@pytest.fixture(name="engine", scope="module")
async def _engine() -> AsyncIterator[EmbeddedEngine]:
    async with create(AlignmentSettings()) as engine:
        yield engine


async def test_a_faultless_reading(engine):
    reading = await read(engine, AMIABLE_TEXT, heard())
    figures = reading.figures
    assert outcomes(reading) == {}
    assert (figures.words, figures.correct) == (18, 18)
    length = seconds(figures.duration)
    assert figures.words_correct_per_minute == pytest.approx(18 * 60 / length, abs=0.1)
    assert all(word.score > 0.1 and word.phones and word.letters for word in reading.words)


async def test_a_misheard_word_is_cleared_by_its_sound(engine):
    misheard = changed(heard(), "respectable", "respected")
    assert outcomes(await read(engine, AMIABLE_TEXT, misheard)) == {}


async def test_a_word_that_recognition_missed_is_cleared_by_its_sound(engine):
    missed = [word for word in heard() if word.text != "amiable"]
    assert outcomes(await read(engine, AMIABLE_TEXT, missed)) == {}


async def test_a_word_that_was_read_as_another_is_wrong(engine):
    text = AMIABLE_TEXT.replace("respectable", "delighted")
    reading = await read(engine, text, heard())
    assert outcomes(reading) == {"delighted": alignment.WORD_OUTCOME_WRONG}
    wrong = next(word for word in reading.words if word.text == "delighted")
    assert wrong.heard == "respectable"
    assert wrong.score > 0.5
    assert "".join(letter.text for letter in wrong.letters) == "respectable"


async def test_words_that_were_left_out_are_skipped(engine):
    text = AMIABLE_TEXT.replace("a more", "a much richer and more")
    reading = await read(engine, text, heard())
    skipped = alignment.WORD_OUTCOME_SKIPPED
    assert outcomes(reading) == {"much": skipped, "richer": skipped, "and": skipped}
    assert not any(word.HasField("range") for word in reading.words if word.text == "richer")


async def test_words_beside_the_text_are_inserted(engine):
    reading = await read(engine, AMIABLE_TEXT.replace("still ", ""), heard())
    assert outcomes(reading) == {"still": alignment.WORD_OUTCOME_INSERTED}
    inserted = next(word for word in reading.words if word.text == "still")
    assert not inserted.HasField("text_offset")
    assert inserted.score > 0.5


async def test_a_reading_that_ends_early_skips_nothing(engine):
    reading = await read(engine, f"{AMIABLE_TEXT} He might even have been made amiable.", heard())
    assert set(outcomes(reading).values()) == {alignment.WORD_OUTCOME_NOT_REACHED}
    assert (reading.figures.words, reading.figures.skipped) == (18, 0)


async def test_pauses_without_punctuation_are_hesitations(engine):
    samples, words = read_audio(AMIABLE), heard()
    # A second of silence in the middle of "a more", another after "woman,".
    pause = np.zeros(SAMPLE_RATE, np.int16)
    first, second = (round(words[place].end * SAMPLE_RATE) for place in (3, 6))
    longer = np.concatenate(
        [samples[:first], pause, samples[first:second], pause, samples[second:]]
    )
    moved = [
        HeardWord(text=word.text, start=word.start + later, end=word.end + later)
        for place, word in enumerate(words)
        for later in [(place > 3) + (place > 6)]
    ]
    reading = await read(engine, AMIABLE_TEXT, moved, longer)
    long = [pause for pause in reading.pauses if length(pause) > 0.8]
    assert [pause.hesitation for pause in long] == [True, False]
    assert reading.figures.hesitations == 1


async def test_a_long_recording_is_read_in_pieces(engine):
    samples, words = read_audio(AMIABLE), heard()
    size = len(samples) / SAMPLE_RATE
    long = np.tile(samples, 15)
    many = [
        HeardWord(text=word.text, start=word.start + turn * size, end=word.end + turn * size)
        for turn in range(15)
        for word in words
    ]
    shares: list[float] = []
    recording = Recording(
        audio=WholeAudio(long), text=text_words(f"{AMIABLE_TEXT} " * 15), heard=many
    )
    async for update in read_along(recording, engine):
        if isinstance(update, float):
            shares.append(update)
        else:
            reading = update
    assert len(shares) > 2
    assert shares == sorted(shares)
    assert shares[-1] == 1
    assert outcomes(reading) == {}
    starts = [seconds(word.range.start_offset) for word in reading.words]
    assert starts == sorted(starts)
    assert all(word.phones for word in reading.words)
    # What comes before a word's first sound may count as its own or not.
    away = [abs(start - starts[each % 18] - each // 18 * size) for each, start in enumerate(starts)]
    assert sum(each < 0.1 for each in away) > 0.9 * len(away)
    assert max(away) < 0.4


async def test_a_text_that_nobody_heard_counts_as_read(engine):
    reading = await read(engine, AMIABLE_TEXT, None)
    assert outcomes(reading) == {}
    assert reading.figures.correct == 18


async def read(engine, text, words, samples=None):
    recording = Recording(
        audio=WholeAudio(read_audio(AMIABLE) if samples is None else samples),
        text=text_words(text),
        heard=words,
    )
    return [update async for update in read_along(recording, engine)][-1]


def changed(words, old, new):
    return [
        HeardWord(text=new if word.text == old else word.text, start=word.start, end=word.end)
        for word in words
    ]


def outcomes(reading) -> dict[str, int]:
    """The words that were not read correctly."""
    return {
        word.text: word.outcome
        for word in reading.words
        if word.outcome != alignment.WORD_OUTCOME_CORRECT
    }


def length(pause) -> float:
    return seconds(pause.range.end_offset) - seconds(pause.range.start_offset)
