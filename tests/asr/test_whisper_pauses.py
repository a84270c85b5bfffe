"""Cutting long pauses out of a chunk: pure, for any speech."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from maie_asr.engine import SAMPLE_RATE, SpeechRange
from maie_asr.engines.whisper.pauses import (
    WINDOW_SECONDS,
    PauseRules,
    join,
    kept_parts,
    windows,
)

pytestmark = pytest.mark.unit

SAMPLES = 300 * SAMPLE_RATE
# Lengths in samples, of speech and of the pauses between.
SPEECH = st.lists(
    st.tuples(st.integers(0, 6 * SAMPLE_RATE), st.integers(1, 40 * SAMPLE_RATE)), max_size=6
).map(lambda lengths: _ranges(lengths))
RULES = st.builds(
    PauseRules, min_silence_ms=st.integers(0, 5000), speech_pad_ms=st.integers(0, 2000)
)


def _ranges(lengths: list[tuple[int, int]]) -> list[SpeechRange]:
    found, place = [], 0
    for pause, length in lengths:
        found.append(SpeechRange(start=place + pause, end=place + pause + length))
        place = found[-1].end
    return found


@given(SPEECH, RULES)
def test_all_speech_and_every_short_pause_is_heard(
    speech: list[SpeechRange], rules: PauseRules
) -> None:
    parts = kept_parts(speech, SAMPLES, rules)
    assert all(before.end <= after.start for before, after in pairwise(parts))
    assert all(0 <= part.start < part.end <= SAMPLES for part in parts)
    for span in speech:
        assert any(part.start <= span.start and span.end <= part.end for part in parts)
    for before, after in pairwise(speech):
        if after.start - before.end < rules.min_silence_ms * SAMPLE_RATE // 1000:
            assert any(part.start <= before.end and after.start <= part.end for part in parts)


def test_a_long_pause_is_cut_out_but_for_the_padding() -> None:
    speech = [_span(1, 4), _span(5, 8), _span(30, 33)]
    rules = PauseRules(min_silence_ms=2000, speech_pad_ms=400)
    parts = kept_parts(speech, 40 * SAMPLE_RATE, rules)
    assert parts == [_span(0.6, 8.4), _span(29.6, 33.4)]
    audio = np.arange(40 * SAMPLE_RATE, dtype=np.float32)
    joined = join(audio, parts)
    assert len(joined) == round((7.8 + 3.8) * SAMPLE_RATE)
    assert (joined[0], joined[-1]) == (audio[parts[0].start], audio[parts[1].end - 1])


def test_nobody_is_not_heard() -> None:
    assert kept_parts([], SAMPLES, PauseRules(min_silence_ms=2000, speech_pad_ms=400)) == []


@given(SPEECH)
def test_windows_hold_all_speech_and_never_too_much(speech: list[SpeechRange]) -> None:
    found = windows(speech)
    assert all(0 < each.end - each.start <= WINDOW_SECONDS * SAMPLE_RATE for each in found)
    assert all(before.end <= after.start for before, after in pairwise(found))
    for span in speech:
        inside = sum(
            max(0, min(span.end, each.end) - max(span.start, each.start)) for each in found
        )
        assert inside == span.end - span.start


def _span(start: float, end: float) -> SpeechRange:
    return SpeechRange(start=round(start * SAMPLE_RATE), end=round(end * SAMPLE_RATE))
