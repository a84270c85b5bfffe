"""A TextGrid of Praat, in its long format of text.

https://www.fon.hum.uva.nl/praat/manual/TextGrid_file_formats.html describes it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from maie_formats.clean import plain
from maie_formats.readings.report import ReadingReport, length, span, spoken

# Praat takes no interval without length. Shorter ones than this are no sound either.
_LEAST_SECONDS = 1e-4
# A grid has a length, even that of a recording in which nobody speaks.
_LEAST_LENGTH = 0.001

Labelled = tuple[float, float, str]
"""The start and end of something, in seconds, and its label."""


def textgrid(report: ReadingReport) -> str:
    """The tiers `words`, `phones` and `letters` of what was spoken.

    Each tier covers the whole recording: what is between the labels has an empty one.
    """
    end = max(length(report), _LEAST_LENGTH)
    words = [word for word in report.reading.words if word.HasField("range")]
    tiers = {
        "words": [(*span(word.range), spoken(word)) for word in words],
        "phones": [(*span(each.range), each.symbol) for word in words for each in word.phones],
        "letters": [(*span(each.range), each.text) for word in words for each in word.letters],
    }
    rows = [
        'File type = "ooTextFile"',
        'Object class = "TextGrid"',
        "",
        "xmin = 0",
        f"xmax = {_time(end)}",
        "tiers? <exists>",
        f"size = {len(tiers)}",
        "item []:",
    ]
    for number, (name, labelled) in enumerate(tiers.items(), start=1):
        rows += _tier(number, name, list(_covering(labelled, end)), end)
    return "\n".join(rows) + "\n"


def _tier(number: int, name: str, intervals: list[Labelled], end: float) -> Iterator[str]:
    yield f"    item [{number}]:"
    yield '        class = "IntervalTier"'
    yield f'        name = "{name}"'
    yield "        xmin = 0"
    yield f"        xmax = {_time(end)}"
    yield f"        intervals: size = {len(intervals)}"
    for place, (start, stop, label) in enumerate(intervals, start=1):
        yield f"        intervals [{place}]:"
        yield f"            xmin = {_time(start)}"
        yield f"            xmax = {_time(stop)}"
        yield f"            text = {_quoted(label)}"


def _covering(labelled: Iterable[Labelled], end: float) -> Iterator[Labelled]:
    """Intervals without gap or overlap from 0 to the end."""
    reached = 0.0
    for start, stop, label in _joined(sorted(labelled, key=lambda each: each[:2])):
        begin = max(reached, start)
        stop = end if end - stop < _LEAST_SECONDS else stop
        if stop - begin < _LEAST_SECONDS:
            continue
        if begin - reached < _LEAST_SECONDS:
            begin = reached
        else:
            yield reached, begin, ""
        yield begin, stop, label
        reached = stop
    if end - reached >= _LEAST_SECONDS or not reached:
        yield reached, end, ""


def _joined(labelled: Iterable[Labelled]) -> Iterator[Labelled]:
    """Labels of one and the same time as one, such as a letter and the silent one beside it."""
    before: Labelled | None = None
    for each in labelled:
        if before is not None and each[:2] == before[:2]:
            before = (*each[:2], before[2] + each[2])
            continue
        if before is not None:
            yield before
        before = each
    if before is not None:
        yield before


def _quoted(label: str) -> str:
    doubled = plain(label).replace('"', '""')
    return f'"{doubled}"'


def _time(moment: float) -> str:
    return f"{moment:.6f}".rstrip("0").rstrip(".")
