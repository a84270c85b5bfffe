"""Parts of a summary: an engine's notes and the times of the segments that they may cite."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from google.protobuf.duration_pb2 import Duration

from maie.common.v1 import types_pb2 as common
from maie.summary.v1 import summary_pb2 as summary
from maie_core.errors import Code, StageError
from maie_core.reasons import Reason
from maie_core.speakers import place_label, speaker_label
from maie_summary.engine import Notes

# Version parameters that a server reports only in its answers: a worker does not know them before
# its first call.
SERVER_PARAMETERS = ("server_model", "system_fingerprint")

Times = dict[str, tuple[int, int]]
"""The start and end of each segment in nanoseconds, by its id."""


@dataclass(kw_only=True, frozen=True, slots=True)
class Part:
    """Notes on a part of a transcript.

    Attributes:
        notes: The notes, in their engine's own format.
        times: The times of the part's segments.
        engine: The engine that made the notes.
        speakers: Who speaks in each of the part's segments, by the segments' ids.
        places: What the speakers are called that have a channel or track, without a name.
    """

    notes: Notes
    times: Times
    engine: common.EngineVersion
    speakers: Mapping[str, str]
    places: Mapping[str, str]

    def to_message(self, transcript: common.Blob) -> summary.SummaryPart:
        """The stored form of the part between the steps, with its transcript."""
        kept = {
            "notes": self.notes,
            "times": self.times,
            "speakers": dict(self.speakers),
            "places": dict(self.places),
        }
        text = json.dumps(kept, separators=(",", ":"))
        return summary.SummaryPart(notes_json=text, engine=self.engine, transcript=transcript)

    @classmethod
    def from_message(cls, message: summary.SummaryPart) -> Part:
        """Reads a stored part; its engine must be the caller's own."""
        stored = json.loads(message.notes_json)
        times = {name: (start, end) for name, (start, end) in stored["times"].items()}
        return cls(
            notes=stored["notes"],
            times=times,
            engine=message.engine,
            # An earlier release knew no speakers.
            speakers=stored.get("speakers", {}),
            places=stored.get("places", {}),
        )


def is_same_engine(one: common.EngineVersion, other: common.EngineVersion) -> bool:
    """Whether both can read each other's notes: only their devices and paths may differ."""
    return _without_place(one) == _without_place(other)


def without_server_parameters(engine: common.EngineVersion) -> common.EngineVersion:
    """An engine's version without the parameters that a server reports only in its answers."""
    silent = common.EngineVersion()
    silent.CopyFrom(engine)
    for name in SERVER_PARAMETERS:
        silent.parameters.pop(name, None)
    return silent


def _without_place(engine: common.EngineVersion) -> common.EngineVersion:
    placeless = without_server_parameters(engine)
    placeless.ClearField("device")
    placeless.ClearField("model_path")
    return placeless


def parts_mismatch(made_by: common.EngineVersion, engine: common.EngineVersion) -> StageError:
    """The error for notes of another engine without their transcript."""
    return StageError(
        Code.FAILED_PRECONDITION,
        Reason.PARTS_MISMATCH,
        f"A part was made by another {made_by.engine or 'engine'} than this {engine.engine}, and "
        "does not name its transcript; make it again with this one.",
    )


def times_of(segments: Sequence[common.Segment]) -> Times:
    """The times of segments by id."""
    return {
        segment.segment_id: (
            segment.start_offset.ToNanoseconds(),
            segment.end_offset.ToNanoseconds(),
        )
        for segment in segments
    }


def speakers_of(segments: Sequence[common.Segment]) -> dict[str, str]:
    """Who speaks in each segment, by the segments' ids; empty where nobody knows."""
    return {each.segment_id: each.speaker for each in segments if each.HasField("speaker")}


def places_of(segments: Sequence[common.Segment]) -> dict[str, str]:
    """What the speakers are called that have a channel or track for themselves."""
    return {
        each.speaker: place
        for each in segments
        if each.HasField("speaker") and (place := place_label(each.track, each.channel))
    }


def labels_of(parts: Sequence[Part], names: Mapping[str, str]) -> dict[str, str]:
    """What people call each speaker, as in transcripts.

    Args:
        parts: All parts.
        names: The names that people gave, by the speakers' ids.
    """
    places = {speaker: place for part in parts for speaker, place in part.places.items()}
    known = {speaker for part in parts for speaker in part.speakers.values()}
    return {
        speaker: speaker_label(speaker, names.get(speaker, ""), places.get(speaker, ""))
        for speaker in sorted(known)
    }


def time_range(start: int, end: int) -> common.TimeRange:
    """A time range of the recording, from nanoseconds."""
    message = common.TimeRange(start_offset=Duration(), end_offset=Duration())
    message.start_offset.FromNanoseconds(start)
    message.end_offset.FromNanoseconds(end)
    return message
