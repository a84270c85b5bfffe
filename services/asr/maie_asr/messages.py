"""Converts an engine's output into the contract's messages."""

from __future__ import annotations

from maie.common.v1 import types_pb2 as common
from maie_asr.engine import Capabilities, RecognizedSegment, RecognizedWord
from maie_asr.source import Source
from maie_core.durations import duration
from maie_core.options import DECODING_OPTIONS, TRANSLATION


def segment_message(found: RecognizedSegment, segment_id: str, source: Source) -> common.Segment:
    """A segment with times relative to the recording's start.

    Args:
        found: The engine's segment.
        segment_id: The segment's id.
        source: The chunk that it is in.
    """
    offset = source.offset
    return common.Segment(
        segment_id=segment_id,
        start_offset=duration(offset + found.start),
        end_offset=duration(offset + found.end),
        text=found.text,
        words=[_word(word, offset) for word in found.words],
        confidence=found.confidence,
        channel=source.channel,
        track=source.track,
    )


def capability_names(capabilities: Capabilities) -> list[str]:
    """The names that ListModels has for an engine's capabilities."""
    flags = {
        "punctuation": capabilities.punctuates,
        "word_time_offsets": capabilities.word_times,
        "hotwords": capabilities.hotwords,
        "language_detection": capabilities.detects_language,
        TRANSLATION: capabilities.translates,
        DECODING_OPTIONS: capabilities.decoding_options,
    }
    return [name for name, able in flags.items() if able]


def _word(word: RecognizedWord, offset: float) -> common.Word:
    return common.Word(
        start_offset=duration(offset + word.start),
        end_offset=duration(offset + word.end),
        word=word.text,
        confidence=word.confidence,
    )
