"""Utterances from probabilities, and chunks from utterances: pure, for any input."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maie_preprocess.planner import LEAD, ChunkPlan, ChunkPlanner
from maie_preprocess.settings import PreprocessSettings
from maie_speech.finder import Span, SpeechFinder, SpeechRules, Thresholds, speech_rules
from maie_speech.frames import FRAME_SAMPLES, SAMPLE_RATE

pytestmark = pytest.mark.unit

MARGIN = 3000
SURE = Thresholds(0.5, 0.35)
RULES = SpeechRules(
    wide=SURE, narrow=Thresholds(0.2, 0.1), min_speech=3, min_silence=8, max_speech=60, pad=2000
)
# Stretches of one probability make utterances of every length; noise makes every edge.
PROBABILITIES = st.lists(
    st.tuples(
        st.sampled_from([0.0, 0.1, 0.4, 0.5, 0.6, 0.9, 1.0]) | st.floats(0, 1),
        st.integers(1, 90),
    ),
    max_size=30,
).map(lambda runs: [value for value, count in runs for _ in range(count)])


def find(probabilities: list[float], samples: int | None = None) -> list[Span]:
    finder = SpeechFinder(RULES)
    found = finder.feed(probabilities, [False] * len(probabilities))
    total = len(probabilities) * FRAME_SAMPLES if samples is None else samples
    return found + finder.finish(total)


def plan(probabilities: list[float], target: int, window: int) -> list[ChunkPlan]:
    """The chunks of a recording that comes in windows, as the service makes them."""
    finder, planner = SpeechFinder(RULES), ChunkPlanner(target, MARGIN)
    plans = []
    for start in range(0, len(probabilities), window):
        part = probabilities[start : start + window]
        for utterance in finder.feed(part, [False] * len(part)):
            plans += planner.add(utterance)
        plans += planner.advance(finder.watermark)
    for utterance in finder.finish(len(probabilities) * FRAME_SAMPLES):
        plans += planner.add(utterance)
    return plans + planner.finish(len(probabilities) * FRAME_SAMPLES)


@given(PROBABILITIES)
def test_utterances_are_ordered_and_bounded(probabilities: list[float]) -> None:
    total = len(probabilities) * FRAME_SAMPLES
    found = find(probabilities)
    longest = RULES.max_speech * FRAME_SAMPLES + 2 * RULES.pad
    for span in found:
        assert 0 <= span.start < span.end <= total
        assert span.end - span.start <= longest
    assert all(first.end <= second.start for first, second in pairwise(found))


@given(PROBABILITIES)
def test_speech_that_is_long_enough_is_in_an_utterance(probabilities: list[float]) -> None:
    found = find(probabilities)
    run = 0
    for frame, value in enumerate(probabilities):
        run = run + 1 if value >= SURE.begin else 0
        if run >= RULES.min_speech:
            first, last = (frame - run + 1) * FRAME_SAMPLES, (frame + 1) * FRAME_SAMPLES
            inside = [span for span in found if span.start < last and span.end > first]
            assert inside[0].start <= first
            assert inside[-1].end >= last
            assert all(one.end == two.start for one, two in pairwise(inside))


@given(PROBABILITIES)
def test_a_pause_that_is_long_enough_parts_utterances(probabilities: list[float]) -> None:
    run = 0
    found = find(probabilities)
    for frame, value in enumerate(probabilities):
        run = run + 1 if value < SURE.end else 0
        if run > RULES.min_silence:
            middle = (frame - RULES.min_silence // 2) * FRAME_SAMPLES
            assert not any(span.start < middle < span.end for span in found)


@given(PROBABILITIES, st.integers(1, FRAME_SAMPLES))
def test_an_utterance_never_outlasts_the_recording(probabilities: list[float], cut: int) -> None:
    samples = max(0, len(probabilities) * FRAME_SAMPLES - cut + 1)
    found = find(probabilities, samples)
    assert all(span.start < span.end <= samples for span in found)


@given(PROBABILITIES, st.integers(20, 400), st.integers(1, 200))
def test_chunks_hold_all_speech_once_in_order_and_bounded(
    probabilities: list[float], target: int, window: int
) -> None:
    target *= FRAME_SAMPLES
    plans = plan(probabilities, target, window)
    assert [one.index for one in plans] == list(range(len(plans)))
    assert [span for one in plans for span in one.speech] == find(probabilities)
    assert all(first.span.end <= second.span.start for first, second in pairwise(plans))
    for one in plans:
        speech = one.speech[-1].end - one.speech[0].start
        assert speech <= target or len(one.speech) == 1
        whole = target if len(plans) == 1 else 0
        before = MARGIN if one.index else max(LEAD, whole)
        assert 0 <= one.speech[0].start - one.span.start <= before
        assert 0 <= one.span.end - one.speech[-1].end <= max(MARGIN, whole)


@given(PROBABILITIES, st.integers(20, 400), st.integers(1, 200))
def test_how_a_recording_is_divided_for_the_model_makes_no_difference(
    probabilities: list[float], target: int, window: int
) -> None:
    target *= FRAME_SAMPLES
    assert plan(probabilities, target, window) == plan(probabilities, target, 10**6)


@given(PROBABILITIES, st.integers(20, 400))
def test_the_watermark_keeps_all_that_is_still_needed(
    probabilities: list[float], target: int
) -> None:
    finder, planner = SpeechFinder(RULES), ChunkPlanner(target * FRAME_SAMPLES, MARGIN)
    kept = 0
    for probability in probabilities:
        for utterance in finder.feed([probability], [False]):
            assert all(one.span.start >= kept for one in planner.add(utterance))
        assert all(one.span.start >= kept for one in planner.advance(finder.watermark))
        kept = planner.needed_from(finder.watermark)
    total = len(probabilities) * FRAME_SAMPLES
    for utterance in finder.finish(total):
        assert all(one.span.start >= kept for one in planner.add(utterance))
    assert all(one.span.start >= kept for one in planner.finish(total))


def test_long_speech_is_split_where_it_is_least_probable() -> None:
    probabilities = [0.99] * 45 + [0.4] * 4 + [0.99] * 40
    first, second = find(probabilities)
    assert first.end == second.start == 47 * FRAME_SAMPLES


def test_a_chunk_ends_in_a_pause_rather_than_at_a_split() -> None:
    planner = ChunkPlanner(100, margin=0)
    spans = [Span(start=0, end=80), Span(start=85, end=95), Span(start=95, end=120)]
    plans = [one for span in spans for one in planner.add(span)]
    assert [one.span for one in plans] == [Span(start=0, end=80)]
    assert planner.needed_from(120) == 85


def test_a_pause_out_of_reach_does_not_shorten_a_chunk() -> None:
    planner = ChunkPlanner(100, margin=0)
    spans = [Span(start=0, end=20), Span(start=30, end=95), Span(start=95, end=120)]
    plans = [one for span in spans for one in planner.add(span)]
    assert [one.span for one in plans] == [Span(start=0, end=95)]


def test_a_chunk_keeps_a_margin_and_shares_a_short_pause() -> None:
    planner = ChunkPlanner(100, margin=30)
    spans = [Span(start=10, end=90), Span(start=100, end=190), Span(start=400, end=420)]
    plans = [one for span in spans for one in planner.add(span)] + planner.finish(500)
    assert [one.span for one in plans] == [
        Span(start=0, end=95),
        Span(start=95, end=220),
        Span(start=370, end=450),
    ]


@pytest.mark.parametrize(
    ("speech", "total", "kept"),
    [
        # Not longer than the target: all of it.
        (Span(start=280, end=290), 300, Span(start=0, end=300)),
        (Span(start=0, end=10), 300, Span(start=0, end=300)),
        # Longer: up to half a minute before the speech.
        (Span(start=20, end=290), 301, Span(start=0, end=291)),
        (Span(start=400, end=450), 1000, Span(start=370, end=451)),
    ],
)
def test_the_first_chunk_keeps_the_silence_before_its_speech(
    speech: Span, total: int, kept: Span
) -> None:
    planner = ChunkPlanner(300 * SAMPLE_RATE, SAMPLE_RATE)
    plans, needed = [], 0
    for second in range(total + 1):
        if second == speech.end:
            plans += planner.add(_seconds(speech))
        watermark = speech.start if speech.start <= second < speech.end else second
        plans += planner.advance(watermark * SAMPLE_RATE)
        assert all(plan.span.start >= needed for plan in plans)
        needed = 0 if plans else planner.needed_from(watermark * SAMPLE_RATE)
    plans += planner.finish(total * SAMPLE_RATE)
    assert [plan.span for plan in plans] == [_seconds(kept)]
    assert plans[0].span.start >= needed


def _seconds(span: Span) -> Span:
    return Span(start=span.start * SAMPLE_RATE, end=span.end * SAMPLE_RATE)


def test_padding_may_not_make_utterances_overlap() -> None:
    assert speech_rules().pad == 4000
    with pytest.raises(ValueError, match="vad_speech_pad_ms"):
        PreprocessSettings(vad_speech_pad_ms=251)
    with pytest.raises(ValueError, match="vad_negative_threshold"):
        PreprocessSettings(vad_threshold=0.05)
    with pytest.raises(ValueError, match="vad_narrow_band_negative_threshold"):
        PreprocessSettings(vad_narrow_band_threshold=0.01)
