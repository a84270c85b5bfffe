"""The spoken words with their times, for the tools that score speech recognition.

The format is NIST's CTM, as its scoring toolkit SCTK reads it: file, channel, start, duration, word
and confidence, separated by spaces.
"""

from __future__ import annotations

from collections.abc import Iterator

from maie.alignment.v1 import alignment_pb2 as alignment
from maie_formats.clean import plain
from maie_formats.names import field_name
from maie_formats.readings.report import ReadingReport, span, spoken

_CHANNEL = 1


def ctm(report: ReadingReport) -> str:
    """The words, one on each line, in the order of time. Empty where nobody speaks.

    A word that speech recognition heard and the engine could not align has no confidence.
    """
    file = field_name(report.name)
    spans = sorted(
        (found for word in report.reading.words for found in _spoken(word)),
        key=lambda found: found[:2],
    )
    return "".join(
        f"{file} {_CHANNEL} {start:.3f} {end - start:.3f} {text}{score}\n"
        for start, end, text, score in spans
    )


def _spoken(word: alignment.ReadWord) -> Iterator[tuple[float, float, str, str]]:
    """What was spoken for a word, word by word, each with its share of the time by its letters."""
    if not word.HasField("range"):
        return
    start, end = span(word.range)
    score = f" {word.score:.3f}" if word.HasField("score") else ""
    texts = plain(spoken(word)).split()
    letters = sum(map(len, texts))
    for text in texts:
        stop = start + (end - start) * len(text) / letters
        letters -= len(text)
        yield start, stop, text, score
        start = stop
