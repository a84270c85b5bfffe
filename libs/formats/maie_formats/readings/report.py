"""What the formats of a reading show."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from google.protobuf.duration_pb2 import Duration

from maie.alignment.v1 import alignment_pb2 as alignment
from maie.common.v1 import types_pb2 as common
from maie_core.durations import seconds

# From here on the audio fits the word better than another one; see `ReadWord.score`.
EVEN_SCORE = 0.5
# The class of a word that counts as read, though its sound fits another word better.
DOUBTFUL = "doubtful"
LABELS: Mapping[str, str] = {
    "correct": "read correctly",
    DOUBTFUL: "counted as read, but sounds otherwise",
    "wrong": "another word was read",
    "skipped": "left out",
    "not_reached": "not reached",
    "inserted": "not in the text",
    "repeated": "read again",
    "filler": "hesitation sound",
}
"""What became of a word, by its class, in the order of a legend."""


@dataclass(kw_only=True, frozen=True, slots=True)
class ReadingReport:
    """A reading with what its formats need beside it.

    Attributes:
        reading: The reading.
        name: The recording's display name.
        text: The text that should have been read; empty where it is not at hand. Words are then
            shown without its punctuation.
        seconds: The recording's length; 0 where it is not known.
        audio: The URL of the recording for a web page, which may be relative; empty for none.
    """

    reading: alignment.Reading
    name: str
    text: str = ""
    seconds: float = 0.0
    audio: str = ""


Piece = str | alignment.ReadWord | alignment.Pause


def pieces(report: ReadingReport) -> Iterator[Piece]:
    """The words in order, with the pauses and the text between them as it is written."""
    words = report.reading.words
    text = report.text if _fits(report.text, words) else ""
    pauses = {_end_key(pause.range.start_offset): pause for pause in report.reading.pauses}
    offsets = [word.text_offset for word in words if word.HasField("text_offset")]
    written = text[: offsets[0]] if text and offsets else ""
    following = iter([*offsets[1:], len(text)])
    glued = False
    for word in words:
        if word.HasField("text_offset"):
            yield written
            yield word
            end = word.text_offset + len(word.text)
            between = text[end : next(following)] if text else " "
            head, written = _split(between)
            yield head
            glued = not head[-1:].isspace()
        else:
            if glued:
                yield " "
            yield word
            yield " "
            glued = False
        if word.HasField("range") and (pause := pauses.get(_end_key(word.range.end_offset))):
            yield pause
    yield written


def class_of(word: alignment.ReadWord) -> str:
    """The class of a word; see `LABELS`."""
    name = alignment.WordOutcome.Name(word.outcome).removeprefix("WORD_OUTCOME_").lower()
    doubtful = word.HasField("score") and word.score < EVEN_SCORE
    return DOUBTFUL if name == "correct" and doubtful else name


def spoken(word: alignment.ReadWord) -> str:
    """What was spoken for a word that has a time, as far as it is known."""
    return word.heard or word.text


def span(range_: common.TimeRange) -> tuple[float, float]:
    """The start and end of a range, in seconds; the end is not before the start."""
    start = max(0.0, seconds(range_.start_offset))
    return start, max(start, seconds(range_.end_offset))


def length(report: ReadingReport) -> float:
    """The recording's length, in seconds; where nobody knows it, when the last word ends."""
    ends = [span(word.range)[1] for word in report.reading.words if word.HasField("range")]
    return max([report.seconds, *ends])


def figures(report: ReadingReport) -> dict[str, str]:
    """The reading in numbers, by what they are called."""
    found = report.reading.figures
    pauses = [span(pause.range) for pause in report.reading.pauses]
    share = f" ({found.correct / found.words:.1%})" if found.words else ""
    unread = sum(class_of(word) == "not_reached" for word in report.reading.words)
    return {
        "words correct a minute": f"{found.words_correct_per_minute:.0f}",
        "words correct": f"{found.correct} of {found.words}{share}",
        "wrong": str(found.wrong),
        "skipped": str(found.skipped),
        "not reached": str(unread),
        "inserted": str(found.inserted),
        "repeated": str(found.repeated),
        "hesitation sounds": str(found.fillers),
        "hesitations": str(found.hesitations),
        "pauses": f"{len(pauses)} ({sum(end - start for start, end in pauses):.1f} s)",
        "reading time": f"{seconds(found.duration):.1f} s",
    }


def differing(report: ReadingReport) -> Iterator[tuple[int, alignment.ReadWord]]:
    """The words that are worth a look, with their places: not read as written, or doubtful."""
    for place, word in enumerate(report.reading.words):
        if class_of(word) not in ("correct", "not_reached"):
            yield place, word


def _fits(text: str, words: Sequence[alignment.ReadWord]) -> bool:
    """Whether the words are of this text, in its order."""
    end = 0
    for word in words:
        if word.HasField("text_offset"):
            start = word.text_offset
            if start < end or text[start : start + len(word.text)] != word.text:
                return False
            end = start + len(word.text)
    return bool(text)


def _split(between: str) -> tuple[str, str]:
    """What belongs to the word before, up to the first space with it, and the rest."""
    for place, letter in enumerate(between):
        if letter.isspace():
            return between[: place + 1], between[place + 1 :]
    return between, ""


def _end_key(offset: Duration) -> int:
    return round(seconds(offset) * 1e6)
