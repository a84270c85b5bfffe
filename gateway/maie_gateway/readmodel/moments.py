"""The places of a job that can be found: its segments and its summary's items."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from google.protobuf.duration_pb2 import Duration
from google.protobuf.struct_pb2 import Value

from maie.job.v1 import job_pb2 as job
from maie.summary.v1 import summary_pb2 as summary


@dataclass(kw_only=True, frozen=True, slots=True)
class TextMoment:
    """A piece of text and where it belongs.

    Attributes:
        text: The text, as people read it.
        segment_id: The segment; empty for an item of a summary.
        pointer: The item, as a JSON Pointer; empty for a segment.
        start: Where it begins, in microseconds from the recording's start;
            None where it has no place.
        end: Where it ends (exclusive); None where `start` is.
    """

    text: str
    segment_id: str = ""
    pointer: str = ""
    start: int | None = None
    end: int | None = None


@dataclass(kw_only=True, frozen=True, slots=True)
class JobText:
    """A finished job's text.

    Attributes:
        job_id: The job.
        version: `text_version` of the record that the text belongs to.
        moments: The text, in order.
        language: The spoken language as a BCP-47 tag in lower case; empty where it is not known.
    """

    job_id: str
    version: str
    moments: Sequence[TextMoment]
    language: str = ""


def text_moments(of: job.JobResults) -> list[TextMoment]:
    """All of a job's text, segments in recording order, then the summary."""
    found = [
        TextMoment(
            text=segment.clean_text or segment.text,
            segment_id=segment.segment_id,
            start=_microseconds(segment.start_offset),
            end=_microseconds(segment.end_offset),
        )
        for segment in of.segments
    ]
    return found + _items(of.summary) if of.HasField("summary") else found


def _items(of: summary.Summary) -> list[TextMoment]:
    """The summary's items: what is cited together, and every other text by itself."""
    cited = {citation.pointer: citation for citation in of.citations}
    texts: dict[str, list[str]] = {}
    for path, text in _leaves((), Value(struct_value=of.content)):
        texts.setdefault(_item_pointer(path, cited), []).append(text)
    return [_item(" ".join(parts), pointer, cited.get(pointer)) for pointer, parts in texts.items()]


def _item(text: str, pointer: str, citation: summary.Citation | None) -> TextMoment:
    """An item with the place where it first comes up."""
    if citation is None or not citation.ranges:
        return TextMoment(text=text, pointer=pointer)
    first = citation.ranges[0]
    return TextMoment(
        text=text,
        pointer=pointer,
        start=_microseconds(first.start_offset),
        end=_microseconds(first.end_offset),
    )


def _leaves(path: Sequence[str], value: Value) -> Iterator[tuple[Sequence[str], str]]:
    match value.WhichOneof("kind"):
        case "string_value":
            yield path, value.string_value
        case "list_value":
            for index, item in enumerate(value.list_value.values):
                yield from _leaves((*path, str(index)), item)
        case "struct_value":
            # A map has no order of its own; the same summary gives the same moments.
            for name in sorted(value.struct_value.fields):
                yield from _leaves((*path, name), value.struct_value.fields[name])


def _item_pointer(path: Sequence[str], cited: Mapping[str, object]) -> str:
    """The outermost part of the summary around a text that has citations, or the text."""
    pointers = [_pointer(path[:depth]) for depth in range(1, len(path) + 1)]
    return next((pointer for pointer in pointers if pointer in cited), _pointer(path))


def _pointer(path: Sequence[str]) -> str:
    """RFC 6901."""
    return "".join("/" + name.replace("~", "~0").replace("/", "~1") for name in path)


def _microseconds(offset: Duration) -> int:
    return offset.seconds * 1_000_000 + offset.nanos // 1000
