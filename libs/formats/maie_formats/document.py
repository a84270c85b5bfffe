"""Results as a document, from the title and warnings to the transcript and what it lacks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import Enum

from maie.alignment.v1 import alignment_pb2 as alignment
from maie.job.v1 import job_pb2 as job
from maie.summary.v1 import summary_pb2 as summary
from maie_core.durations import seconds
from maie_formats.clean import plain
from maie_formats.readings.report import LABELS, ReadingReport, class_of, differing, figures
from maie_formats.sound import findings
from maie_formats.summary import Item, Reading, reading
from maie_formats.transcript import clock, groups, lines, paragraphs, spoken
from maie_formats.voices import shares
from maie_formats.warnings import removed_texts, sentences, span

UNREAD = "Somebody speaks here, and no text could be made of it."


class Kind(Enum):
    """What a block of a document is."""

    TITLE = "title"
    HEADING = "heading"
    PARAGRAPH = "paragraph"
    BULLET = "bullet"
    NOTE = "note"
    """A paragraph that nobody spoke."""


@dataclass(kw_only=True, frozen=True, slots=True)
class Block:
    """A block of a document.

    Attributes:
        kind: What it is.
        text: One line of visible text.
        voice: Who says a paragraph, or the channel or track, on one line; empty
            if nobody knows.
    """

    kind: Kind
    text: str
    voice: str = ""


def document(
    results: job.JobResults, name: str, template: summary.Template | None = None
) -> Iterator[Block]:
    """The blocks of a document.

    Args:
        results: The results.
        name: The recording's name, the title if the summary has none.
        template: The template of the summary, for its order.
    """
    view = (
        reading(results.summary, template, results.speakers)
        if results.HasField("summary")
        else None
    )
    yield _block(Kind.TITLE, (view and view.title) or name)
    yield from _bullets("Warnings", sentences(results))
    if view:
        yield from _summary(view)
    yield from _bullets("Speakers", shares(results.speakers))
    if results.HasField("quality_report"):
        yield from _bullets("Sound", findings(results.quality_report))
    if results.HasField("reading"):
        yield from _reading(results.reading, name)
    if text := _transcript(results):
        yield _block(Kind.HEADING, "Transcript")
        yield from text
    yield from _bullets("Left out of the transcript", removed_texts(results))


def moments(item: Item) -> str:
    """The times of an item, such as "[00:12] [01:05]", or "[00:12 Anna]" where it is known."""
    shown = (f"[{f'{clock(start)} {speaker}'.rstrip()}]" for start, speaker in item.moments)
    return " ".join(dict.fromkeys(shown))


def _block(kind: Kind, text: str) -> Block:
    return Block(kind=kind, text=plain(text))


def _bullets(heading: str, texts: Iterable[str]) -> Iterator[Block]:
    for number, text in enumerate(texts):
        if number == 0:
            yield _block(Kind.HEADING, heading)
        yield _block(Kind.BULLET, text)


def _summary(view: Reading) -> Iterator[Block]:
    for section in view.sections:
        yield _block(Kind.HEADING, section.title)
        for item in section.items:
            yield _block(Kind.BULLET if section.is_list else Kind.PARAGRAPH, _item(item))


def _item(item: Item) -> str:
    details = "; ".join(f"{label}: {text}" for label, text in item.details)
    return " ".join(filter(None, (item.text, f"({details})" if details else "", moments(item))))


def _reading(made: alignment.Reading, name: str) -> Iterator[Block]:
    """The figures, and the words that were not read as the text has them."""
    report = ReadingReport(reading=made, name=name)
    texts = [f"{label}: {value}" for label, value in figures(report).items()]
    yield from _bullets("Reading", (f"{text[0].upper()}{text[1:]}" for text in texts))
    yield from _bullets("Words to look at", (_word(word) for _, word in differing(report)))


def _word(word: alignment.ReadWord) -> str:
    where = f"[{clock(seconds(word.range.start_offset))}] " if word.HasField("range") else ""
    heard = f", heard as {word.heard}" if word.heard else ""
    return f"{where}{word.text}: {LABELS[class_of(word)]}{heard}"


def _transcript(results: job.JobResults) -> list[Block]:
    """The paragraphs, with notes where speech has no text."""
    said = [
        (group[0].start, Block(kind=Kind.PARAGRAPH, text=spoken(group), voice=group[0].voice))
        for group in groups(lines(results))
    ]
    unread = [
        (seconds(where.start_offset), _block(Kind.NOTE, f"{span(where)} {UNREAD}"))
        for where in results.unread
    ]
    whole = [] if said else [(0.0, _block(Kind.PARAGRAPH, text)) for text in paragraphs(results)]
    return [block for _, block in sorted(said + whole + unread, key=lambda placed: placed[0])]
