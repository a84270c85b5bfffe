"""Adds line numbers to a template's schema, and takes them out of answers.

A template's schema has no citations. The model gets a schema with line numbers:
each list item, and each single value outside of lists, becomes
`{"text": value, "lines": [12, 13]}`; an item that is an object keeps its
properties and gets `lines` as another one. Afterwards `uncited` takes the numbers
out of the answer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from maie_templates.checks import ANNOTATIONS, COMBINED

Schema = Mapping[str, Any]
# Gets a value, its JSON Pointer, and whether it is an object with lines as another property.
# And its schema in the template.
Change = Callable[[Any, str, bool, Schema], Any]

MAX_LINES = 8
"""The most lines that one item may cite."""
LINES = "lines"
TEXT = "text"
# The annotations that help a model.
HELPFUL = frozenset({"description", "examples"})
FIXED = frozenset({"enum", "const", *COMBINED})
REFERENCE = "#/$defs/"
# "2026-12-01" shares no word with "the first of December".
UNSPOKEN_FORMATS = frozenset({"date", "date-time", "time", "duration"})


@dataclass(kw_only=True, frozen=True, slots=True)
class Citation:
    """The lines that an item cites.

    Attributes:
        pointer: The item as a JSON Pointer into the content.
        lines: Line numbers, without duplicates, in the order given.
        texts: The texts of the item in the model's own words: no enum values of the template,
            and no dates or times in a written format.
    """

    pointer: str
    lines: tuple[int, ...]
    texts: tuple[str, ...] = field(default=(), compare=False)


def cited_schema(schema: Schema, first_line: int = 1, last_line: int | None = None) -> Schema:
    """A template's schema with line numbers.

    Objects get no additional properties, even if the template allows them, so
    that answers stay bounded.

    Args:
        schema: A checked schema of a template.
        first_line: The lowest number that may be cited.
        last_line: The highest; None for no limit.
    """
    definitions = schema.get("$defs", {})
    name = LINES
    while name in definitions:
        name = f"_{name}"
    cited = _cite(schema, schema, {"$ref": REFERENCE + name})
    number = {"type": "integer", "minimum": first_line}
    if last_line is not None:
        number["maximum"] = last_line
    lines = {
        "description": "The numbers of the lines that say so.",
        "type": "array",
        "items": number,
        "minItems": 1,
        "maxItems": MAX_LINES,
    }
    used = {each: _bounded(definitions[each]) for each in _used(cited, definitions)}
    return {**cited, "$defs": {**used, name: lines}}


def uncited(schema: Schema, answer: Any) -> tuple[Any, list[Citation]]:
    """Separates an answer from its line numbers.

    An empty value (null or an empty string) cites nothing.

    Args:
        schema: The template's schema.
        answer: A value that fits its cited schema.
    """
    citations: list[Citation] = []

    def take_out(value: Any, pointer: str, has_room: bool, node: Schema) -> Any:
        content = value[TEXT] if not has_room else {n: v for n, v in value.items() if n != LINES}
        if content not in (None, ""):
            # JSON has one type of number: 3.0 is an integer for a schema.
            lines = tuple(dict.fromkeys(map(int, value[LINES])))
            texts = tuple(_found_texts(schema, node, content))
            citations.append(Citation(pointer=pointer, lines=lines, texts=texts))
        return content

    return _with_items(schema, schema, answer, "", take_out), citations


def cited_answer(schema: Schema, content: Any, lines: Mapping[str, Sequence[int]]) -> Any:
    """Puts line numbers into an answer; the inverse of `uncited`.

    Args:
        schema: The template's schema.
        content: A value that fits it.
        lines: The numbers of the lines of each item, by its JSON Pointer.

    Raises:
        KeyError: An item has no lines; the key is its pointer.
    """

    def put_in(value: Any, pointer: str, has_room: bool, _: Schema) -> Any:
        return {**(value if has_room else {TEXT: value}), LINES: list(lines[pointer])}

    return _with_items(schema, schema, content, "", put_in)


def _cite(root: Schema, node: Schema, lines: Schema) -> dict[str, Any]:
    node = _inlined(root, node)
    if (inner := _not_null(node)) is not None:
        return {"anyOf": [_cite(root, inner, lines), {"type": "null"}]}
    if _is_said_anyway(node):
        return _bounded(node)
    if _is_plain(node, "object"):
        children = node.get("properties", {})
        cited = {name: _cite(root, child, lines) for name, child in children.items()}
        container = {**_changed(node), **({"properties": cited} if cited else {})}
        if isinstance(node.get("additionalProperties"), dict):
            container["additionalProperties"] = _cite(root, node["additionalProperties"], lines)
        return container
    if _is_plain(node, "array"):
        return {**_changed(node), "items": _cite_item(root, node["items"], lines)}
    return _wrapped(node, lines)


def _cite_item(root: Schema, node: Schema, lines: Schema) -> dict[str, Any]:
    node = _inlined(root, node)
    if not _has_room(node):
        return _wrapped(node, lines)
    item = _changed(node)
    return {
        **item,
        "properties": {**item.get("properties", {}), LINES: lines},
        "required": [*item.get("required", ()), LINES],
    }


def _wrapped(node: Schema, lines: Schema) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {TEXT: _bounded(node), LINES: lines},
        "required": [TEXT, LINES],
        "additionalProperties": False,
    }


def _with_items(root: Schema, node: Schema, value: Any, pointer: str, change: Change) -> Any:
    """A value with each of its items and each single value outside of lists changed."""
    node = _inlined(root, node)
    if (inner := _not_null(node)) is not None:
        return None if value is None else _with_items(root, inner, value, pointer, change)
    if _is_said_anyway(node):
        return value
    if _is_plain(node, "object"):
        children, rest = node.get("properties", {}), node.get("additionalProperties")
        return {
            name: _with_items(root, children.get(name, rest), child, _under(pointer, name), change)
            for name, child in value.items()
        }
    if _is_plain(node, "array"):
        inner = _inlined(root, node["items"])
        has_room = _has_room(inner)
        return [change(each, f"{pointer}/{at}", has_room, inner) for at, each in enumerate(value)]
    return change(value, pointer, False, node)


def _found_texts(root: Schema, node: Schema, value: Any) -> Iterator[str]:
    """The texts of a value in the model's own words."""
    node = _inlined(root, node)
    options = [*node.get("anyOf", ()), *node.get("oneOf", ())]
    if options:
        kept = [list(_found_texts(root, option, value)) for option in options]
        # If one of the options is an enum of the template, the value is one of that.
        yield from min(kept, key=len)
    elif isinstance(value, str) and not set(node) & {"enum", "const"}:
        if node.get("format") not in UNSPOKEN_FORMATS:
            yield value
    elif isinstance(value, Mapping):
        children, rest = node.get("properties", {}), node.get("additionalProperties")
        for name, child in value.items():
            yield from _found_texts(root, children.get(name) or rest or {}, child)
    elif isinstance(value, list):
        for child in value:
            yield from _found_texts(root, node.get("items", {}), child)


def _under(pointer: str, name: str) -> str:
    return f"{pointer}/{name.replace('~', '~0').replace('/', '~1')}"


def _inlined(root: Schema, node: Schema) -> Schema:
    """A reference replaced by its node; other keywords next to the reference stay."""
    while "$ref" in node or "allOf" in node:
        if "$ref" in node:
            target = root["$defs"][node["$ref"].removeprefix(REFERENCE)]
        else:
            [target] = node["allOf"]
        node = {**target, **{name: node[name] for name in node if name in ANNOTATIONS}}
    return node


def _not_null(node: Schema) -> Schema | None:
    """The other option of a node that allows null; None for other nodes."""
    types = node.get("type")
    if isinstance(types, list) and "null" in types and not set(node) & FIXED:
        others = [each for each in types if each != "null"]
        return {**node, "type": others[0] if len(others) == 1 else others} if others else None
    if len(options := node.get("anyOf", ())) == 2:
        others = [each for each in options if each.get("type") != "null"]
        if len(others) == 1:
            return {**others[0], **{name: node[name] for name in node if name != "anyOf"}}
    return None


def _is_said_anyway(node: Schema) -> bool:
    """Whether only one value is valid."""
    return "const" in node or node.get("type") in ("null", ["null"])


def _is_plain(node: Schema, kind: str) -> bool:
    return node.get("type") in (kind, [kind]) and not set(node) & {*FIXED, "$ref"}


def _has_room(node: Schema) -> bool:
    """Whether an item is an object that may have another property."""
    return (
        _is_plain(node, "object")
        and LINES not in node.get("properties", {})
        and not set(node) & {"minProperties", "maxProperties"}
        and not isinstance(node.get("additionalProperties"), dict)
    )


def _changed(node: Schema) -> dict[str, Any]:
    """A bounded copy without examples, which have no line numbers."""
    return {name: value for name, value in _bounded(node).items() if name != "examples"}


def _bounded(node: Schema) -> dict[str, Any]:
    """A copy without additional properties and without keywords that do not help a model."""
    copy = {name: node[name] for name in node if name in HELPFUL or name not in ANNOTATIONS}
    if "properties" in node:
        children = node["properties"].items()
        copy["properties"] = {name: _bounded(child) for name, child in children}
    if "items" in node:
        copy["items"] = _bounded(node["items"])
    for keyword in COMBINED:
        if keyword in node:
            copy.pop(keyword)
            # Grammars cannot express that no other option is valid; this is checked afterwards.
            shown = "anyOf" if keyword == "oneOf" else keyword
            copy[shown] = [_bounded(each) for each in node[keyword]]
    if isinstance(node.get("additionalProperties"), dict):
        copy["additionalProperties"] = _bounded(node["additionalProperties"])
    elif _is_object(node) and not set(node) & FIXED:
        copy["additionalProperties"] = False
    return copy


def _is_object(node: Schema) -> bool:
    types = node.get("type", ())
    return "object" in ((types,) if isinstance(types, str) else types)


def _used(node: Any, definitions: Schema) -> dict[str, None]:
    """The definitions that a schema refers to, directly or through others."""
    used: dict[str, None] = {}
    waiting = [node]
    while waiting:
        for name in _references(waiting.pop()):
            if name in definitions and name not in used:
                used[name] = None
                waiting.append(_bounded(definitions[name]))
    return used


def _references(node: Any) -> Iterator[str]:
    if isinstance(node, Mapping):
        reference = node.get("$ref")
        if isinstance(reference, str):
            yield reference.removeprefix(REFERENCE)
        for child in node.values():
            yield from _references(child)
    elif isinstance(node, list):
        for child in node:
            yield from _references(child)
