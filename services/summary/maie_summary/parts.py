"""Parts of a summary: an engine's notes and the times of the segments they may cite."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from google.protobuf.duration_pb2 import Duration

from maie.common.v1 import types_pb2 as common
from maie.summary.v1 import summary_pb2 as summary
from maie_runtime.errors import Code, StageError
from maie_summary.engine import Notes

Times = dict[str, tuple[int, int]]
"""Where each segment begins and ends, in nanoseconds, by its id."""


@dataclass(kw_only=True, frozen=True, slots=True)
class Part:
    """Notes on a part of a transcript, with the times of its segments."""

    notes: Notes
    times: Times

    def to_message(self, engine: common.EngineVersion) -> summary.SummaryPart:
        """The part as it is stored between the steps."""
        text = json.dumps({"notes": self.notes, "times": self.times}, separators=(",", ":"))
        return summary.SummaryPart(notes_json=text, engine=engine)

    @classmethod
    def from_message(cls, message: summary.SummaryPart, engine: common.EngineVersion) -> Part:
        """Reads a stored part.

        Raises:
            StageError: FAILED_PRECONDITION with PARTS_MISMATCH where another
                engine, or another version of this one, made the part: its
                result could not be reproduced.
        """
        if message.engine != engine:
            raise StageError(
                Code.FAILED_PRECONDITION,
                "PARTS_MISMATCH",
                f"A part was made by another {message.engine.engine or 'engine'} than this "
                f"{engine.engine}; summary workers changed in mid-job: run the job again.",
            )
        stored = json.loads(message.notes_json)
        times = {name: (start, end) for name, (start, end) in stored["times"].items()}
        return cls(notes=stored["notes"], times=times)


def times_of(segments: Sequence[common.Segment]) -> Times:
    """The times of segments by id."""
    return {
        segment.segment_id: (
            segment.start_offset.ToNanoseconds(),
            segment.end_offset.ToNanoseconds(),
        )
        for segment in segments
    }


def time_range(start: int, end: int) -> common.TimeRange:
    """A stretch of the recording from nanoseconds."""
    message = common.TimeRange(start_offset=Duration(), end_offset=Duration())
    message.start_offset.FromNanoseconds(start)
    message.end_offset.FromNanoseconds(end)
    return message
