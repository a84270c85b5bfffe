"""The engine `rules`, with the real language model."""

from __future__ import annotations

import asyncio
import re
import threading
from collections.abc import AsyncIterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import pytest_asyncio
from hypothesis import given, settings
from hypothesis import strategies as st
from pocketsphinx import get_model_path

from maie_core.errors import Code, StageError
from maie_enhancement.engine import Segment, Word
from maie_enhancement.engines.rules import MODEL, RulesEngine, TrigramModel, create
from maie_enhancement.guard import edit_rate, words_of
from maie_enhancement.rules import Punctuator
from maie_enhancement.rules.punctuate import BLOCK_WORDS
from maie_enhancement.settings import EnhancementSettings
from maie_llm import Generation
from tests.properties import examples
from tests.waiting import until

pytestmark = pytest.mark.unit

TALKS = sorted((Path(__file__).parents[1] / "summary" / "talks").glob("*.txt"))
SENTENCE = re.compile(r"(?<=[.?!])\s+")


@pytest_asyncio.fixture
async def engine() -> AsyncIterator[RulesEngine]:
    async with create(EnhancementSettings()) as engine:
        yield engine


async def clean(
    engine: RulesEngine, *texts: str, gap: float = 0.6, language: str = "en"
) -> list[str]:
    segments = [
        Segment(text=text, start=10.0 * at, end=10.0 * (at + 1) - gap)
        for at, text in enumerate(texts)
    ]
    return [piece.text async for piece in engine.enhance(segments, language, Generation())]


@pytest.mark.parametrize(
    "expected",
    [
        "Good morning everyone. Let us start with the release.",
        "That is great news. We decided to release the new version on Thursday.",
        "I agree. We also decided to keep the old price for current customers.",
        "Good. Do we need more people for the support team?",
        "All right. The next meeting is on Monday the third of May.",
        "What should we do about the payment server?",
        "And Sarah will send the invoice to the customer by Friday.",
        "I think Mark should talk to the customers in March.",
        "You may leave the mark on the wall and march on.",
        "I'm sure that I'll see you in New York.",
        "Are we done?",
        "Maria can you hear me?",
        "When it is cold enough the water forms small drops.",
        "Have a good day.",
        "What a day.",
    ],
)
async def test_a_segment_gets_its_sentences_questions_and_capitals(
    engine: RulesEngine, expected: str
) -> None:
    raw = re.sub(r"[.,?!]", "", expected).lower()
    assert await clean(engine, raw) == [expected]


async def test_a_sentence_goes_on_over_a_short_pause(engine: RulesEngine) -> None:
    cut = await clean(engine, "we decided to keep the", "old price for current customers", gap=0.2)
    assert cut == ["We decided to keep the", "old price for current customers."]


async def test_another_language_is_punctuated_by_its_pauses_alone(engine: RulesEngine) -> None:
    texts = await clean(engine, "guten morgen zusammen", "wann fangen wir an", language="de-CH")
    assert texts == ["Guten morgen zusammen.", "Wann fangen wir an."]


async def test_written_punctuation_is_kept(engine: RulesEngine) -> None:
    assert await clean(engine, "really? yes, really!") == ["Really? Yes, really!"]


def _timed(line: str, start: float) -> tuple[Segment, set[int]]:
    """A segment with gaps of 80 ms between its sentences, and where those are."""
    words: list[Word] = []
    ends = set()
    for sentence in SENTENCE.split(line.strip()):
        start += 0.08 if words else 0.0
        for word in re.sub(r"[.,?!]", "", sentence.lower()).split():
            words.append(Word(text=word, start=start, end=start + 0.3))
            start += 0.3
        ends.add(len(words))
    text = " ".join(word.text for word in words)
    return Segment(text=text, start=words[0].start, end=start, words=tuple(words)), ends


async def test_sentence_ends_are_found_in_talks_of_every_kind(engine: RulesEngine) -> None:
    hits = found = expected = 0
    for talk in TALKS:
        segments, ends, start = [], [], 0.0
        for line in talk.read_text().splitlines():
            segment, line_ends = _timed(line, start)
            start = segment.end + 0.6
            segments.append(segment)
            ends.append(line_ends)
        texts = [piece.text async for piece in engine.enhance(segments, "en", Generation())]
        for text, line_ends in zip(texts, ends, strict=True):
            marked = {at for at, word in enumerate(text.split(), 1) if word[-1] in ".?"}
            hits += len(marked & line_ends)
            found += len(marked)
            expected += len(line_ends)
    assert 2 * hits / (found + expected) > 0.93


@settings(max_examples=examples(60))
@given(
    texts=st.lists(st.text(max_size=60), max_size=4), language=st.sampled_from(["en-US", "", "vi"])
)
def test_no_word_is_ever_changed_added_or_dropped(texts: Sequence[str], language: str) -> None:
    async def run() -> list[str]:
        async with create(EnhancementSettings()) as engine:
            return await clean(engine, *texts, language=language)

    written = asyncio.run(run())
    assert len(written) == len(texts)
    for before, after in zip(texts, written, strict=True):
        assert words_of(before) == words_of(after)
        assert [len(word) for word in before.split()] <= [len(word) for word in after.split()]


async def test_the_same_text_gives_the_same_result_whatever_came_before(
    engine: RulesEngine,
) -> None:
    first = await clean(engine, "do we need more people good", "thank you")
    await clean(engine, "something else entirely")
    assert await clean(engine, "do we need more people good", "thank you") == first


async def test_cancelling_stops_the_work_and_leaves_the_engine_usable() -> None:
    begun, go_on = threading.Event(), threading.Event()
    asked = set()
    model = TrigramModel(get_model_path(MODEL))

    def log_prob(word: str, history: tuple[str, ...]) -> float:
        begun.set()
        go_on.wait()
        asked.add(word)
        return model.log_prob(word, history)

    with ThreadPoolExecutor(1) as executor:
        engine = RulesEngine(Punctuator(log_prob), "", executor)
        blocks = [f"{word} " * BLOCK_WORDS for word in ("one", "two", "three")]
        task = asyncio.create_task(clean(engine, *blocks))
        await until(begun.is_set)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        go_on.set()
        assert await clean(engine, "thank you") == ["Thank you."]
    # The block in hand is finished, and no other is begun.
    assert "one" in asked
    assert not asked & {"two", "three"}


def test_the_edit_rate_is_the_distance_over_the_longer_text() -> None:
    assert edit_rate(["ab"], ["Ab."]) == pytest.approx(2 / 3)
    assert edit_rate(["a", "b"], ["a", "b"]) == 0
    assert edit_rate([], []) == 0


async def test_a_missing_or_damaged_language_model_stops_the_engine(tmp_path: Path) -> None:
    damaged = tmp_path / "damaged.lm.bin"
    damaged.write_bytes(b"not a model")
    for path, reason in ((tmp_path / "none", "MODEL_MISSING"), (damaged, "MODEL_CORRUPT")):
        with pytest.raises(StageError) as caught:
            async with create(EnhancementSettings(rules_model=path)):
                pass
        assert (caught.value.code, caught.value.reason) == (Code.FAILED_PRECONDITION, reason)
