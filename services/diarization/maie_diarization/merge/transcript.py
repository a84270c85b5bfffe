"""A transcript with the speaker of each word."""

from __future__ import annotations

from maie.common.v1 import types_pb2 as common
from maie.diarization.v1 import diarization_pb2 as diarization
from maie_core.durations import seconds
from maie_diarization.merge.segments import split
from maie_diarization.merge.turns import Turns, turns_of
from maie_diarization.merge.words import label_words


def with_speakers(
    transcript: common.Transcript, made: diarization.Diarization
) -> common.Transcript:
    """A transcript with a speaker for each word, and segments that end where the speaker changes.

    Args:
        transcript: The transcript of a chunk.
        made: Who spoke when in the recording.
    """
    labelled = common.Transcript()
    labelled.CopyFrom(transcript)
    labelled.diarization_engine.CopyFrom(made.engine)
    del labelled.segments[:]
    lanes: dict[tuple[int, int], Turns] = {}
    for segment in transcript.segments:
        lane = (segment.track, segment.channel)
        if lane not in lanes:
            lanes[lane] = turns_of(made, segment)
        labelled.segments.extend(_labelled(segment, lanes[lane]))
    return labelled


def _labelled(segment: common.Segment, turns: Turns) -> list[common.Segment]:
    named = common.Segment()
    named.CopyFrom(segment)
    if named.words:
        label_words(named.words, turns)
        return list(split(named)) if named.words[0].HasField("speaker") else [named]
    start, end = seconds(segment.start_offset), seconds(segment.end_offset)
    speaking = turns.during(start, end)
    if speaker := speaking.speaker or turns.nearest(start, end):
        named.speaker, named.overlapped = speaker, speaking.overlapped
    return [named]
