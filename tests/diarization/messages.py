"""Transcripts and turns in few words, for tests."""

from __future__ import annotations

from collections.abc import Sequence

from maie.common.v1 import types_pb2 as common
from maie.diarization.v1 import diarization_pb2 as diarization
from maie_core.durations import duration, time_range

Said = tuple[str, float, float]


def segment(*words: Said, segment_id: str = "c0000-s0000", channel: int = 0) -> common.Segment:
    """A segment of words with their times; its text is theirs."""
    return common.Segment(
        segment_id=segment_id,
        start_offset=duration(words[0][1]),
        end_offset=duration(words[-1][2]),
        text=" ".join(word for word, _, _ in words),
        words=[
            common.Word(word=word, start_offset=duration(start), end_offset=duration(end))
            for word, start, end in words
        ],
        channel=channel,
    )


def spoken(*turns: Said, channels: Sequence[int] = ()) -> diarization.Diarization:
    """Who speaks when; the speakers in the order of their first turn."""
    speakers = list(dict.fromkeys(speaker for speaker, _, _ in turns))
    return diarization.Diarization(
        speakers=[
            diarization.Speaker(speaker=each, channel=channels[place] if channels else 0)
            for place, each in enumerate(speakers)
        ],
        turns=[
            diarization.SpeakerTurn(speaker=each, range=time_range(start, end))
            for each, start, end in turns
        ],
    )
