"""Formats warnings about results as sentences."""

from __future__ import annotations

from collections.abc import Iterator

from maie.common.v1 import types_pb2 as common
from maie.job.v1 import job_pb2 as job
from maie_core.durations import seconds
from maie_formats.clean import plain
from maie_formats.transcript import clock

_SUSPECT_REASONS = {
    common.SUSPECT_REASON_REPETITION: "the same words again and again",
    common.SUSPECT_REASON_NON_SPEECH: "nobody seems to speak there",
}
_OTHER_REASON = "probably never spoken"


def sentences(results: job.JobResults) -> list[str]:
    """Each warning with its time range in the recording."""
    return [sentence(warning) for warning in results.warnings]


def sentence(warning: common.Warning) -> str:
    """A warning, such as "[00:05-00:12] The recording has a gap here."."""
    message = plain(warning.message) or plain(warning.reason)
    return f"{span(warning.range)} {message}" if warning.HasField("range") else message


def span(where: common.TimeRange) -> str:
    """A time range of the recording, such as "[00:05-00:12]"."""
    start, end = clock(seconds(where.start_offset)), clock(seconds(where.end_offset))
    return f"[{start}]" if start == end else f"[{start}-{end}]"


def removed_texts(results: job.JobResults) -> Iterator[str]:
    """The text that was left out of the segments, with its time and the reason."""
    for suspect in results.suspect_texts:
        if suspect.removed:
            reason = _SUSPECT_REASONS.get(suspect.reason, _OTHER_REASON)
            yield f"{span(suspect.range)} “{plain(suspect.text)}” ({reason})"
