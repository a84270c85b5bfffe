"""An engine that knows two words, for answers with times and confidences."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from maie.asr.v1 import asr_pb2 as asr
from maie.common.v1 import types_pb2 as common
from tests.empty_stages import ENGINE


def two_words(first: str, second: str) -> Callable[..., Sequence[asr.TranscribeResponse]]:
    """The answer of an ASR stage: a word at 0 s, one at 0.5 s, each of them 0.4 s long."""

    def answer(*_: Any) -> Sequence[asr.TranscribeResponse]:
        segment = common.Segment(segment_id="c0000-s0000", text=f"{first} {second}", confidence=0.5)
        segment.end_offset.FromMilliseconds(1500)
        for number, text in enumerate((first, second)):
            word = segment.words.add(word=text)
            word.start_offset.FromMilliseconds(500 * number)
            word.end_offset.FromMilliseconds(500 * number + 400)
        transcript = common.Transcript(
            segments=[segment], language_code="de-CH", punctuated=True, asr_engine=ENGINE
        )
        return [asr.TranscribeResponse(result=transcript)]

    return answer
