"""Who speaks when, for the tools that score and view diarization.

The format is NIST's Rich Transcription Time Marked, of appendix A of the plan of its evaluation
RT-09.
"""

from __future__ import annotations

from collections.abc import Iterator

from maie.common.v1 import types_pb2 as common
from maie.job.v1 import job_pb2 as job
from maie_core.durations import seconds
from maie_formats.names import field_name

# A file has channels from 1, and one whose channels were mixed has the first.
_MIXED = 1


def rttm(results: job.JobResults, name: str) -> str:
    """The turns of the speakers, one on each line, with the speakers' ids. Empty without any.

    Args:
        results: The results.
        name: The recording's name. The file of the turns is that without its extension, and with
            an underscore for each space, since fields end with spaces.
    """
    file = field_name(name)
    channels = {each.speaker: each.channel or _MIXED for each in results.speakers}
    return "".join(
        f"SPEAKER {file} {channels.get(speaker, _MIXED)} {_times(range_)} <NA> <NA> {speaker} "
        "<NA> <NA>\n"
        for speaker, range_ in _turns(results)
    )


def _turns(results: job.JobResults) -> Iterator[tuple[str, common.TimeRange]]:
    """The turns; of a corrected transcript that was summarised, its segments."""
    for turn in results.speaker_turns:
        yield turn.speaker, turn.range
    if not results.speaker_turns:
        for each in results.segments:
            if each.HasField("speaker"):
                yield (
                    each.speaker,
                    common.TimeRange(start_offset=each.start_offset, end_offset=each.end_offset),
                )


def _times(range_: common.TimeRange) -> str:
    """When a turn begins and how long it is, in seconds."""
    start, end = seconds(range_.start_offset), seconds(range_.end_offset)
    return f"{start:.3f} {max(0.0, end - start):.3f}"
