"""A transcript with the speaker of each word."""

from __future__ import annotations

from maie.common.v1 import types_pb2 as common
from maie.diarization.v1 import diarization_pb2 as diarization
from maie_core.speaking import Turns, label_segment, split


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
            lanes[lane] = _turns_of(made, segment)
        labelled.segments.extend(_labelled(segment, lanes[lane]))
    return labelled


def _labelled(segment: common.Segment, turns: Turns) -> list[common.Segment]:
    named = common.Segment()
    named.CopyFrom(segment)
    label_segment(named, turns)
    return list(split(named)) if named.words and named.HasField("speaker") else [named]


def _turns_of(made: diarization.Diarization, segment: common.Segment) -> Turns:
    """The turns that a segment's words may be of: those on its channel and track."""
    lane = (segment.track, segment.channel)
    there = {each.speaker for each in made.speakers if (each.track, each.channel) == lane}
    return Turns(turn for turn in made.turns if turn.speaker in there)
