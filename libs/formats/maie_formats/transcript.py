"""A job's text as lines and paragraphs, the basis of all formats."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from maie.common.v1 import types_pb2 as common
from maie.job.v1 import job_pb2 as job
from maie_core.durations import seconds
from maie_formats.clean import plain
from maie_formats.voices import labels, voice_of

# A pause of this length starts a paragraph, and so does the first segment after so many characters.
PARAGRAPH_PAUSE_SECONDS = 2.0
PARAGRAPH_CHARACTERS = 600


@dataclass(kw_only=True, frozen=True, slots=True)
class Line:
    """A segment's text.

    Attributes:
        start: Seconds from the recording's start.
        end: Seconds from the recording's start, not before `start`.
        text: One line of visible text, not empty.
        word_times: The start and end of each word of `text`, if
            known.
        voice: Who speaks, such as "Anna" or "Speaker 1"; without speakers, the
            channel or track, such as "Channel 1". Empty if nobody knows.
    """

    start: float
    end: float
    text: str
    word_times: tuple[tuple[float, float], ...] = ()
    voice: str = ""


def lines(results: job.JobResults) -> list[Line]:
    """The segments with text, clean or else raw, in recording order."""
    known = labels(results.speakers)
    found = [line for each in results.segments if (line := _line(each, voice_of(each, known)))]
    return sorted(found, key=lambda line: line.start)


def paragraphs(results: job.JobResults) -> list[str]:
    """The text in paragraphs, split at pauses and by length.

    With speakers, or several channels or tracks, each paragraph is of one, and
    begins with its name, such as "Anna: ", "Speaker 1: " or "Channel 1: ".
    """
    texts = [paragraph(group) for group in groups(lines(results))]
    return texts or _whole(results)


def paragraph(group: Sequence[Line]) -> str:
    """The text of lines of one voice, with its name."""
    text = spoken(group)
    return f"{group[0].voice}: {text}" if group[0].voice else text


def spoken(group: Sequence[Line]) -> str:
    """The text of lines of one voice."""
    return " ".join(line.text for line in group)


def clock(moment: float) -> str:
    """A time as mm:ss, or h:mm:ss from an hour on."""
    minutes, second = divmod(int(moment), 60)
    hour, minute = divmod(minutes, 60)
    return f"{hour}:{minute:02d}:{second:02d}" if hour else f"{minute:02d}:{second:02d}"


def _line(segment: common.Segment, voice: str) -> Line | None:
    text = plain(segment.clean_text if segment.HasField("clean_text") else segment.text)
    if not text:
        return None
    start = max(0.0, seconds(segment.start_offset))
    times = tuple((seconds(w.start_offset), seconds(w.end_offset)) for w in segment.words)
    return Line(
        start=start,
        end=max(start, seconds(segment.end_offset)),
        text=text,
        # Clean-up may join or drop words; then times cannot be assigned to words.
        word_times=times if len(times) == len(text.split()) else (),
        voice=voice,
    )


def groups(all_lines: Sequence[Line]) -> Iterator[list[Line]]:
    """The lines of each paragraph."""
    group: list[Line] = []
    for line in all_lines:
        if group and _breaks(group, line):
            yield group
            group = []
        group.append(line)
    if group:
        yield group


def _breaks(group: Sequence[Line], line: Line) -> bool:
    if line.voice != group[-1].voice:
        return True
    paused = line.start - group[-1].end >= PARAGRAPH_PAUSE_SECONDS
    return paused or sum(len(each.text) for each in group) >= PARAGRAPH_CHARACTERS


def _whole(results: job.JobResults) -> list[str]:
    text = plain(results.clean_transcript or results.raw_transcript)
    return [text] if text else []
