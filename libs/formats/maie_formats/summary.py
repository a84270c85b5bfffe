"""Turns a summary of any template into titled sections in reading order."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from google.protobuf import json_format

from maie.diarization.v1 import diarization_pb2 as diarization
from maie.summary.v1 import summary_pb2 as summary
from maie_core.durations import seconds
from maie_formats.clean import plain
from maie_formats.voices import labels

Schema = Mapping[str, Any]


class Moment(NamedTuple):
    """When a statement is said.

    Attributes:
        start: Seconds from the recording's start.
        speaker: What people call who says it; empty if nobody knows.
    """

    start: float
    speaker: str = ""


@dataclass(kw_only=True, frozen=True, slots=True)
class Item:
    """One statement of a summary.

    Attributes:
        text: The statement.
        details: More about it, by label, such as ("Owner", "Priya").
        moments: Its times in the recording.
    """

    text: str
    details: tuple[tuple[str, str], ...] = ()
    moments: tuple[Moment, ...] = ()


@dataclass(kw_only=True, frozen=True, slots=True)
class Section:
    """A titled part of a summary.

    Attributes:
        title: Its title, such as "Action items".
        items: Its statements.
        is_list: Whether they are a list, not one text.
    """

    title: str
    items: tuple[Item, ...]
    is_list: bool


@dataclass(kw_only=True, frozen=True, slots=True)
class Reading:
    """A summary for reading.

    Attributes:
        title: The summary's own title; empty without one.
        sections: Its parts that are not empty, in the template's order.
    """

    title: str
    sections: tuple[Section, ...]


def reading(
    filled: summary.Summary,
    template: summary.Template | None = None,
    speakers: Iterable[diarization.Speaker] = (),
) -> Reading:
    """Puts a summary in reading order.

    Args:
        filled: The summary.
        template: Its template; without it, sections are in alphabetical
            order, since a protobuf Struct has no order.
        speakers: The speakers of the recording, with their names.
    """
    content = json_format.MessageToDict(filled.content)
    schema = json.loads(template.schema_json) if template and template.schema_json else {}
    known = labels(speakers)
    moments = {each.pointer: tuple(_moments(each, known)) for each in filled.citations}
    # A title that is not a text is a normal part.
    title = content.pop("title", "") if not isinstance(content.get("title"), list | dict) else ""
    sections = (
        _section(name, value, rules, moments) for name, value, rules in _ordered(content, schema)
    )
    return Reading(
        title=_scalar(title),
        sections=tuple(section for section in sections if section.items),
    )


Moments = Mapping[str, tuple[Moment, ...]]


def _moments(citation: summary.Citation, known: Mapping[str, str]) -> Iterator[Moment]:
    # Speakers are there for each range, or for none.
    speakers = citation.speakers or [""] * len(citation.ranges)
    for span, speaker in zip(citation.ranges, speakers, strict=False):
        yield Moment(seconds(span.start_offset), known.get(speaker, ""))


def _ordered(content: Mapping[str, Any], schema: Schema) -> Iterator[tuple[str, Any, Schema]]:
    """Name, value and schema of each property, in the schema's order."""
    properties: Mapping[str, Schema] = schema.get("properties", {})
    names = [name for name in properties if name in content]
    names += sorted(name for name in content if name not in properties)
    for name in names:
        yield name, content[name], properties.get(name, {})


def _section(name: str, value: Any, schema: Schema, moments: Moments) -> Section:
    pointer = f"/{_pointer_token(name)}"
    is_list = isinstance(value, list)
    values: Sequence[Any] = value if is_list else [value]
    rules = schema.get("items", {}) if is_list else schema
    items = (
        _item(each, rules, moments, f"{pointer}/{at}" if is_list else pointer)
        for at, each in enumerate(values)
    )
    return Section(
        title=_label(name, schema),
        items=tuple(item for item in items if item.text),
        is_list=is_list,
    )


def _item(value: Any, schema: Schema, moments: Moments, pointer: str) -> Item:
    said = tuple(
        sorted(
            {
                moment
                for key, starts in moments.items()
                if key == pointer or key.startswith(f"{pointer}/")
                for moment in starts
            }
        )
    )
    if not isinstance(value, dict):
        return Item(text=_text(value), moments=said)
    fields = [
        (_label(name, rules), text)
        for name, each, rules in _ordered(value, schema)
        if (text := _text(each))
    ]
    if not fields:
        return Item(text="")
    return Item(text=fields[0][1], details=tuple(fields[1:]), moments=said)


def _text(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(filter(None, map(_text, value)))
    if isinstance(value, dict):
        pairs = ((name, _text(each)) for name, each in sorted(value.items()))
        return ", ".join(f"{_label(name, {})}: {text}" for name, text in pairs if text)
    return _scalar(value)


def _scalar(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return plain(str(value))


def _label(name: str, schema: Schema) -> str:
    label = plain(str(schema.get("title", "") or name.replace("_", " ")))
    return label[:1].upper() + label[1:]


def _pointer_token(name: str) -> str:
    return name.replace("~", "~0").replace("/", "~1")  # RFC 6901
