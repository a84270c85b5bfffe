"""How the speakers of a recording are shown."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

from maie.common.v1 import types_pb2 as common
from maie.diarization.v1 import diarization_pb2 as diarization
from maie.job.v1 import job_pb2 as job
from maie.job.v1 import record_pb2 as record
from maie_core.durations import duration, seconds
from maie_gateway.views.view import View


def show_speakers(shown: job.Job, of: record.JobRecord) -> None:
    """Gives the speakers of a job the names that people gave them.

    Where no unit told the speakers apart, such as in a live session, they are those of its
    segments, and so are their turns.

    Args:
        shown: The job as it is shown, with its segments.
        of: Its record, which has the names.
    """
    if not shown.results.speakers:
        shown.results.speakers.extend(_speakers_of(shown.results.segments))
        shown.results.speaker_turns.extend(_turns_of(shown.results.segments))
    _name(shown, of)


def correct_speakers(shown: job.Job, of: record.JobRecord) -> None:
    """Shows who speaks in a corrected transcript, and how long, in place of what was made.

    Args:
        shown: The job as it is shown, with the corrected segments.
        of: Its record, which has the names.
    """
    speaking = {each.speaker: each for each in _speakers_of(shown.results.segments)}
    for speaker in shown.results.speakers:
        now = speaking.pop(speaker.speaker, diarization.Speaker())
        speaker.speech_duration.CopyFrom(now.speech_duration)
    shown.results.speakers.extend(speaking.values())
    _name(shown, of)


def _name(shown: job.Job, of: record.JobRecord) -> None:
    for speaker in shown.results.speakers:
        speaker.name = of.speaker_names.get(speaker.speaker, "")


def _speakers_of(segments: Iterable[common.Segment]) -> Iterator[diarization.Speaker]:
    spoken: dict[str, float] = defaultdict(float)
    for segment in segments:
        if segment.HasField("speaker"):
            length = seconds(segment.end_offset) - seconds(segment.start_offset)
            spoken[segment.speaker] += length
    for speaker, length in spoken.items():
        yield diarization.Speaker(speaker=speaker, speech_duration=duration(length))


def _turns_of(segments: Iterable[common.Segment]) -> Iterator[diarization.SpeakerTurn]:
    for segment in segments:
        if segment.HasField("speaker"):
            yield diarization.SpeakerTurn(
                range=common.TimeRange(
                    start_offset=segment.start_offset, end_offset=segment.end_offset
                ),
                speaker=segment.speaker,
            )


def _show(shown: job.Job, _: record.JobRecord, made: Sequence[diarization.Diarization]) -> None:
    for each in made:
        shown.results.speakers.extend(each.speakers)
        shown.results.speaker_turns.extend(each.turns)
        if each.HasField("count_confidence"):
            shown.results.speaker_count_confidence = each.count_confidence


def _warnings(_: Sequence[diarization.Diarization]) -> list[common.Warning]:
    return []


def _engines(made: diarization.Diarization) -> Iterable[job.StageVersion]:
    yield job.StageVersion(stage=common.STAGE_DIARIZATION, engine=made.engine)


SPEAKERS = View(show=_show, warnings=_warnings, engines=_engines)
