"""SubRip and WebVTT."""

from __future__ import annotations

import html

from maie.job.v1 import job_pb2 as job
from maie_formats.cues import Cue, Part, cues, mark
from maie_formats.transcript import lines

# SubRip has no escapes: players parse <i> and {\an8} as markup, and "-->" as the time line
# of a next cue. These characters look the same and have no meaning.
_SRT_LOOKALIKES = str.maketrans({"<": "‹", ">": "›", "{": "(", "}": ")"})


def srt(results: job.JobResults) -> str:
    """The segments as SubRip. Empty without speech."""
    blocks = (
        f"{number}\n{_times(cue, ',')}\n{_marked_rows(cue).translate(_SRT_LOOKALIKES)}\n"
        for number, cue in enumerate(cues(lines(results)), start=1)
    )
    return "\n".join(blocks)


def vtt(results: job.JobResults) -> str:
    """The segments as WebVTT, with the speaker, channel or track as the voice."""
    blocks = (
        f"{_times(cue, '.')}\n{chr(10).join(map(_voiced, cue.parts))}\n"
        for cue in cues(lines(results))
    )
    return "\n".join(("WEBVTT\n", *blocks))


def timestamp(seconds: float, separator: str) -> str:
    """HH:MM:SS and milliseconds; more digits for 100 hours or more."""
    whole, milliseconds = divmod(round(seconds * 1000), 1000)
    minutes, second = divmod(whole, 60)
    hour, minute = divmod(minutes, 60)
    return f"{hour:02d}:{minute:02d}:{second:02d}{separator}{milliseconds:03d}"


def _times(cue: Cue, separator: str) -> str:
    return f"{timestamp(cue.start, separator)} --> {timestamp(cue.end, separator)}"


def _marked_rows(cue: Cue) -> str:
    return "\n".join(mark(part.voice) + "\n".join(part.rows) for part in cue.parts)


def _voiced(part: Part) -> str:
    text = html.escape("\n".join(part.rows), quote=False)
    return f"<v {html.escape(part.voice, quote=False)}>{text}" if part.voice else text
