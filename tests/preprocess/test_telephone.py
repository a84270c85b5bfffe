"""Speech in the band of a telephone, of which Silero is seldom sure."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from bench.readings import Reading, SpokenWord, in_form, write_wav
from maie.preprocess.v1 import preprocess_pb2 as pb
from tests.preprocess.conftest import Preprocess

pytestmark = pytest.mark.unit

SECONDS = 120.0
# Of a hundred; what lies at the edge of a range is read all the same. With a threshold of 0.3 it
# was 22.
MOST_OUTSIDE = 8


async def test_most_of_what_is_said_by_telephone_is_found(
    preprocess: Preprocess, tmp_path: Path
) -> None:
    call = in_form("telephone", SECONDS)
    assert await _outside(call, call.words, preprocess, tmp_path) <= MOST_OUTSIDE


async def test_a_caller_is_found_beside_a_host(preprocess: Preprocess, tmp_path: Path) -> None:
    host, call = in_form("clean", SECONDS), in_form("telephone", SECONDS)
    caller = [
        SpokenWord(text=word.text, start=word.start + host.seconds, end=word.end + host.seconds)
        for word in call.words
    ]
    audio = np.concatenate([host.audio, call.audio])
    both = Reading(audio=audio, words=(*host.words, *caller))
    assert await _outside(both, host.words, preprocess, tmp_path) == 0
    assert await _outside(both, caller, preprocess, tmp_path) <= MOST_OUTSIDE


async def _outside(
    reading: Reading, words: Sequence[SpokenWord], preprocess: Preprocess, folder: Path
) -> float:
    """How many words of a hundred are not in what preprocess takes for speech."""
    path = folder / "call.wav"
    write_wav(path, reading)
    ranges = _speech(await preprocess(path.read_bytes()))
    outside = [
        word.text
        for word in words
        if not any(start <= (word.start + word.end) / 2 <= end for start, end in ranges)
    ]
    return 100 * len(outside) / len(words)


def _speech(result: pb.PreprocessResult) -> list[tuple[float, float]]:
    return [
        (
            span.start_offset.ToTimedelta().total_seconds(),
            span.end_offset.ToTimedelta().total_seconds(),
        )
        for chunk in result.chunks
        for span in chunk.speech
    ]
