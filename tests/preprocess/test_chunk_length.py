"""How long chunks are to be."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maie.preprocess.v1 import preprocess_pb2 as pb
from maie_preprocess.chunk_length import ChunkLength
from maie_preprocess.settings import PreprocessSettings

pytestmark = pytest.mark.unit

LONGEST_RECORDING = 16 * 3600
# Its two sides are read one by one.
LONGEST_CALL = 2 * LONGEST_RECORDING
stated = st.none() | st.floats(min_value=0, max_value=LONGEST_RECORDING)


@pytest.mark.parametrize(
    ("slots", "minutes", "seconds"),
    [(2, 6, 60), (2, 60, 300), (2, 1, 60), (64, 6, 60), (16, 60, 75), (1, 6, 300), (0, 6, 300)],
)
def test_every_slot_has_three_chunks(slots: int, minutes: int, seconds: float) -> None:
    length = ChunkLength.of(pb.PreprocessRequest(asr_slots=slots), PreprocessSettings())
    assert length.seconds(60.0 * minutes) == seconds


def test_a_recording_that_does_not_state_its_length() -> None:
    for slots, seconds in ((1, 300), (2, 60), (64, 60)):
        length = ChunkLength.of(pb.PreprocessRequest(asr_slots=slots), PreprocessSettings())
        assert length.seconds(None) == seconds


@given(stated, st.integers(min_value=-1, max_value=10**6))
def test_chunks_that_nobody_asked_for_have_60_s_to_300_s(said: float | None, slots: int) -> None:
    length = ChunkLength.of(pb.PreprocessRequest(asr_slots=slots), PreprocessSettings())
    assert 60 <= length.seconds(said) <= 300


@given(st.floats(min_value=1, max_value=LONGEST_CALL), st.integers(min_value=1, max_value=10**6))
def test_there_are_never_more_chunks_than_gateways_take(said: float, slots: int) -> None:
    length = ChunkLength.of(pb.PreprocessRequest(asr_slots=slots), PreprocessSettings())
    assert said / (length.seconds(said) - 30 + 1) + 1 <= 256


@given(stated, st.integers(min_value=0, max_value=64), st.integers(min_value=5, max_value=1800))
def test_what_a_person_asked_for_counts(said: float | None, slots: int, asked: int) -> None:
    request = pb.PreprocessRequest(asr_slots=slots)
    set_ = PreprocessSettings(chunk_seconds=asked)
    assert ChunkLength.of(request, set_).seconds(said) == asked
    request.chunk_duration.seconds = asked
    other = PreprocessSettings(chunk_seconds=77)
    assert ChunkLength.of(request, other).seconds(said) == asked
