"""Speech in the band of a telephone, of which Silero is seldom sure."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.readings import in_form, write_wav
from maie.preprocess.v1 import preprocess_pb2 as pb
from tests.preprocess.conftest import Preprocess

pytestmark = pytest.mark.unit

SECONDS = 120.0
# Of a hundred; what lies at the edge of a range is read all the same. At 0.3 it was 22.
MOST_OUTSIDE = 15


async def test_most_of_what_is_said_by_telephone_is_found(
    preprocess: Preprocess, tmp_path: Path
) -> None:
    reading = in_form("telephone", SECONDS)
    write_wav(tmp_path / "call.wav", reading)
    ranges = _speech(await preprocess((tmp_path / "call.wav").read_bytes()))
    outside = [
        word.text
        for word in reading.words
        if not any(start <= (word.start + word.end) / 2 <= end for start, end in ranges)
    ]
    assert 100 * len(outside) / len(reading.words) <= MOST_OUTSIDE


def _speech(result: pb.PreprocessResult) -> list[tuple[float, float]]:
    return [
        (
            span.start_offset.ToTimedelta().total_seconds(),
            span.end_offset.ToTimedelta().total_seconds(),
        )
        for chunk in result.chunks
        for span in chunk.speech
    ]
