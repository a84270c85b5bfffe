"""What the engine sherpa makes of tokens, ranges of speech, hotwords and files' metadata."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import onnx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from maie_asr.engine import SpeechRange
from maie_asr.engines.sherpa.hotwords import joined
from maie_asr.engines.sherpa.metadata import read_metadata
from maie_asr.engines.sherpa.reader import without_turns
from maie_asr.engines.sherpa.recognizer import Reading
from maie_asr.engines.sherpa.segments import segments
from maie_asr.engines.sherpa.vocabulary import Vocabulary, read_vocabulary
from maie_asr.engines.sherpa.windows import windows
from maie_asr.engines.sherpa.words import MAX_TOKEN_SECONDS, PlacedWord, Tokens, place_words
from tests.models.sherpa.graphs import FLOAT, Graph

pytestmark = pytest.mark.unit

PLAIN = Vocabulary(punctuates=True, upper_only=False, lower_only=False, of_bytes=False)


def words_of(text: str, tokens: Tokens, seconds: float = 60.0) -> list[tuple[str, float, float]]:
    return [
        (text[each.first : each.last], each.start, each.end)
        for each in place_words(text, tokens, seconds)
    ]


def test_a_word_is_as_long_as_its_tokens() -> None:
    tokens = Tokens(texts=[" bud", "get", " was"], starts=[1.0, 1.25, 2.5], durations=[0.2, 0.2, 0])
    assert words_of("budget was", tokens) == [("budget", 1.0, 1.45), ("was", 2.5, 2.5)]


def test_without_durations_a_token_lasts_until_the_next_and_not_for_long() -> None:
    tokens = Tokens(texts=[" a", " b", " c"], starts=[1.0, 1.25, 4.0])
    found = words_of("a b c", tokens, 4.1)
    assert found == [("a", 1.0, 1.25), ("b", 1.25, 1.25 + MAX_TOKEN_SECONDS), ("c", 4.0, 4.1)]


def test_characters_of_a_script_without_spaces_are_words() -> None:
    tokens = Tokens(texts=["你", "好", " OK"], starts=[0.0, 0.5, 1.0])
    assert [each[0] for each in words_of("你好OK", tokens)] == ["你", "好", "OK"]


def test_bytes_make_characters() -> None:
    tokens = Tokens(texts=[" caf", "<0xC3>", "<0xA9>", " s"], starts=[0.0, 0.25, 0.5, 1.0])
    assert [each[0] for each in words_of("café s", tokens)] == ["café", "s"]


def test_a_sign_that_the_library_leaves_out_is_no_word() -> None:
    tokens = Tokens(texts=[".", " the", " bug"], starts=[0.0, 0.5, 1.0])
    assert words_of("the bug", tokens)[0][:2] == ("the", 0.5)


@pytest.mark.parametrize(
    "tokens",
    [
        Tokens(texts=[" a", " b"], starts=[0.0]),
        Tokens(texts=[" x", " y"], starts=[0.0, 1.0]),
        Tokens(texts=[], starts=[]),
    ],
)
def test_tokens_that_are_not_the_texts_give_no_words(tokens: Tokens) -> None:
    assert place_words("a b", tokens, 2.0) == []


@given(
    pieces=st.lists(st.sampled_from([" a", "b", " ", "语", "<0xC3>", "<0xA9>", "."]), max_size=9),
    steps=st.lists(st.floats(0, 2), min_size=9, max_size=9),
    logs=st.lists(st.floats(-50, 0), min_size=9, max_size=9),
    seconds=st.floats(0, 20),
)
def test_words_are_in_order_within_the_audio(
    pieces: list[str], steps: list[float], logs: list[float], seconds: float
) -> None:
    count = len(pieces)
    starts = np.cumsum(steps)[:count].tolist()
    text = "".join(pieces).replace("<0xC3><0xA9>", "é").strip()
    tokens = Tokens(texts=pieces, starts=starts, log_probabilities=logs[:count])
    found = place_words(text, tokens, seconds)
    times = [time for word in found for time in (word.start, word.end)]
    assert times == sorted(times)
    assert all(time <= seconds for time in times)
    assert all(word.confidence is not None and 0 < word.confidence <= 1 for word in found)
    if found:
        assert "".join(text[each.first : each.last] for each in found) == "".join(text.split())


def test_only_some_tokens_keep_their_times() -> None:
    tokens = Tokens(texts=["a", "<EOU>", "b"], starts=[0, 1, 2], log_probabilities=[-1, -2, -3])
    assert tokens.only([0, 2]) == Tokens(
        texts=["a", "b"], starts=[0, 2], log_probabilities=[-1, -3]
    )


def test_the_end_of_a_turn_is_no_text() -> None:
    tokens = Tokens(texts=[" so", "<EOU>", " yes", "<EOB>"], starts=[0, 1, 2, 3])
    reading = without_turns(Reading(text="so<EOU> yes<EOB>", tokens=tokens))
    assert reading.text == "so yes"
    assert [each[:2] for each in words_of(reading.text, reading.tokens)] == [("so", 0), ("yes", 2)]
    plain = Reading(text="so", tokens=Tokens(texts=[" so"], starts=[0]))
    assert without_turns(plain) is plain


def spans(*ranges: tuple[int, int]) -> list[SpeechRange]:
    return [SpeechRange(start=start, end=end) for start, end in ranges]


def test_ranges_are_joined_over_short_pauses() -> None:
    samples = np.zeros(1000, np.int16)
    found = list(windows(samples, spans((0, 100), (120, 200), (300, 400), (410, 900)), 500, 50))
    assert found == [
        tuple(spans((0, 100), (120, 200))),
        tuple(spans((300, 400))),
        tuple(spans((410, 900))),
    ]


def test_a_long_range_is_divided_where_it_is_quietest() -> None:
    samples = np.full(48_000, 1000, np.int16)
    samples[29_000:30_000] = 0
    first, second = windows(samples, spans((0, 48_000)), 32_000, 0)
    assert 29_000 <= first[0].end <= 30_000
    assert first[0].end == second[0].start
    assert second[0].end == 48_000


@given(
    lengths=st.lists(st.tuples(st.integers(0, 3000), st.integers(1, 9000)), max_size=6),
    longest=st.integers(1, 5000),
    pause=st.integers(0, 2000),
)
def test_windows_hold_all_speech_and_are_short_enough(
    lengths: list[tuple[int, int]], longest: int, pause: int
) -> None:
    ranges, at = [], 0
    for gap, length in lengths:
        ranges.append(SpeechRange(start=at + gap, end=at + gap + length))
        at += gap + length
    found = list(windows(np.ones(at, np.int16), ranges, longest, pause))
    inside = [place for window in found for each in window for place in range(each.start, each.end)]
    assert inside == [place for each in ranges for place in range(each.start, each.end)]
    for window in found:
        assert window[-1].end - window[0].start <= longest
        assert all(0 <= b.start - a.end <= pause for a, b in pairwise(window))


def test_a_window_has_a_segment_for_each_range_with_words() -> None:
    words = [
        PlacedWord(first=0, last=2, start=0.1, end=0.5, confidence=0.5),
        PlacedWord(first=3, last=6, start=0.9, end=1.3, confidence=0.7),
        PlacedWord(first=7, last=8, start=3.4, end=3.5, confidence=None),
    ]
    window = spans((16_000, 32_000), (40_000, 48_000), (64_000, 80_000))
    one, two = segments("so the x", words, window, "en", word_times=True)
    assert (one.text, one.start, one.end, one.confidence) == ("so the", 1.0, 2.3, 0.6)
    assert [(each.text, each.start) for each in one.words] == [("so", 1.1), ("the", 1.9)]
    assert (two.text, two.start, two.end, two.confidence) == ("x", 4.0, 5.0, None)


def test_a_text_without_word_times_is_one_segment() -> None:
    (only,) = segments("so", [], spans((16_000, 32_000), (40_000, 48_000)), "en", word_times=True)
    assert (only.text, only.start, only.end, only.words) == ("so", 1.0, 3.0, ())


def test_hotwords_lose_what_the_library_takes_for_a_sign() -> None:
    assert joined([":1.5", "#2", "a/b", "@x y", "it's", "C-3"], PLAIN) == "1 5/2/a b/x y/it's/C-3"


@pytest.mark.parametrize(("pieces", "expected"), [("A\u2581B", "MAIE"), ("a\u2581b", "maie")])
def test_hotwords_have_the_letters_of_the_vocabulary(
    pieces: str, expected: str, tmp_path: Path
) -> None:
    (tmp_path / "tokens.txt").write_text(f"<blk> 0\n{pieces} 1\n<|en|> 2\n", encoding="utf-8")
    assert joined(["Maie"], read_vocabulary(tmp_path / "tokens.txt")) == expected


def test_a_vocabulary_of_bytes_is_told_from_one_of_characters(tmp_path: Path) -> None:
    path = tmp_path / "tokens.txt"
    path.write_text("<blk> 0\n\u2581\u0200 1\nA 2\n", encoding="utf-8")
    assert not read_vocabulary(path).of_bytes
    path.write_text("<blk> 0\n\u2581\u01be 1\nA 2\n", encoding="utf-8")
    assert read_vocabulary(path).of_bytes


def write_graph(path: Path, metadata: dict[str, str], size: int = 1) -> None:
    graph = Graph(("x", FLOAT, [size]))
    graph.node("Add", "x", graph.weight(np.ones(size, np.float32)), name="y")
    graph.save(path, [("y", FLOAT, [size])], metadata)


@given(metadata=st.dictionaries(st.text(min_size=1, max_size=9), st.text(max_size=300), max_size=5))
def test_metadata_is_read_as_it_was_written(
    metadata: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("onnx") / "model.onnx"
    write_graph(path, metadata)
    assert read_metadata(path) == metadata


def test_large_weights_are_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "model.onnx"
    write_graph(path, {"model_type": "x"}, size=5_000_000)
    assert path.stat().st_size > 16 << 20
    assert read_metadata(path) == {"model_type": "x"}
    path.write_bytes(path.read_bytes()[: 17 << 20])
    with pytest.raises(ValueError, match="cut short"):
        read_metadata(path)


@given(content=st.binary(max_size=300))
def test_what_is_no_model_is_refused_or_has_no_metadata_of_a_family(
    content: bytes, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("onnx") / "model.onnx"
    path.write_bytes(content)
    try:
        found = read_metadata(path)
    except ValueError:
        return
    assert all(isinstance(text, str) for pair in found.items() for text in pair)


def test_the_reader_agrees_with_onnx(tmp_path: Path) -> None:
    path = tmp_path / "model.onnx"
    write_graph(path, {"a": "1", "b": ""})
    props = onnx.load(path).metadata_props
    assert read_metadata(path) == {each.key: each.value for each in props}
