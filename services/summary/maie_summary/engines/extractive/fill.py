"""Fills any template's schema with findings only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from maie_summary.engine import Draft, Source
from maie_summary.engines.extractive.dates import iso_date
from maie_summary.engines.extractive.findings import Finding, Findings
from maie_summary.engines.extractive.sentences import shorten
from maie_summary.engines.extractive.slots import TEXT_SLOTS, field_of, slot_of
from maie_templates import validator
from maie_templates.checks import resolve

# The value of a required, non-empty text without a finding.
NOT_STATED = "not stated"
# Enum values that mean that nothing was found.
NO_CHOICE = (None, "", "unknown", "none", "n/a", "not stated", "not specified", "unspecified")
MISSING = object()
"""Marks a property without a valid, true value."""
# For properties that no finding fits.
NONE = (Finding(text="", segment_ids=()), MISSING)


class Filler:
    """Fills one template.

    Args:
        schema: The template's schema.
        findings: What was found.
    """

    def __init__(self, schema: Mapping[str, Any], findings: Findings) -> None:
        self._schema = schema
        self._findings = findings
        self._validator = validator(schema)
        self._sources: list[Source] = []

    def fill(self) -> Draft:
        """The filled template.

        A required property without a valid, true value is left out; the
        draft is then invalid.
        """
        content = self._object(self._schema, "", None)
        return Draft(content=content, sources=tuple(self._sources))

    def _object(
        self, node: Mapping[str, Any], pointer: str, finding: Finding | None
    ) -> dict[str, Any]:
        content = {}
        required = node.get("required", ())
        for name, child in node.get("properties", {}).items():
            place = f"{pointer}/{name.replace('~', '~0').replace('/', '~1')}"
            before = len(self._sources)
            value = self._property(name, self._plain(child), place, finding)
            if value == "" or not self._fits(value, child):
                del self._sources[before:]
                value = self._nothing(self._plain(child))
            if value is not MISSING and (name in required or value not in ("", NOT_STATED)):
                content[name] = value
        return content

    def _property(
        self, name: str, node: Mapping[str, Any], pointer: str, finding: Finding | None
    ) -> Any:
        if finding is not None:
            return self._from_finding(node, name, finding)
        if "object" in _types(node):
            return self._object(node, pointer, None)
        found = self._findings.get(slot_of(name, node) or "", [])
        if not found:
            return MISSING
        if "array" in _types(node):
            return self._array(node, pointer, found)
        if "string" in _types(node):
            return self._text(name, node, pointer, found)
        return MISSING

    def _array(self, node: Mapping[str, Any], pointer: str, found: Sequence[Finding]) -> list[Any]:
        items: list[Any] = []
        for finding in found[: node.get("maxItems")]:
            value = self._item(self._plain(node["items"]), finding)
            if self._fits(value, node["items"]) and value not in items:
                self._cite(f"{pointer}/{len(items)}", [finding])
                items.append(value)
        return items

    def _item(self, node: Mapping[str, Any], finding: Finding) -> Any:
        if "object" in _types(node):
            content = self._object(node, "", finding)
            # An object without known properties is no item.
            return content if any(content.values()) else MISSING
        if "string" not in _types(node):
            return MISSING
        is_whole = "format" in node or finding.fields.get("due") == finding.text
        return _whole(finding.text, node) if is_whole else _fit(finding.text, node)

    def _from_finding(self, node: Mapping[str, Any], name: str, finding: Finding) -> Any:
        fields = {**finding.fields, "speaker": finding.speaker or None, "text": finding.text}
        field = field_of(name, fields) or ""
        text = fields.get(field)
        if text is None or "string" not in _types(node):
            return MISSING
        return _whole(text, node) if field == "due" or "format" in node else _fit(text, node)

    def _text(
        self, name: str, node: Mapping[str, Any], pointer: str, found: Sequence[Finding]
    ) -> Any:
        """As many whole findings as fit, as running text; only one for a text with a format."""
        slot, most = slot_of(name, node), node.get("maxLength")
        if "format" in node:
            fitting = ((each, _whole(each.text, node)) for each in found)
            finding, value = next((pair for pair in fitting if self._fits(pair[1], node)), NONE)
            self._cite(pointer, [finding])
            return value
        if slot == "dates":
            found = [each for each in found if self._fits(each.text, node)]
        used: list[Finding] = []
        for finding in found:
            text = " ".join(each.text for each in [*used, finding])
            if used and most is not None and len(text) > most:
                break
            used.append(finding)
        self._cite(pointer, used)
        if not used:
            return MISSING
        separator = " " if slot in TEXT_SLOTS else "\n"
        return _fit(separator.join(each.text for each in used), node)

    def _cite(self, pointer: str, found: Sequence[Finding]) -> None:
        ids = tuple(dict.fromkeys(name for finding in found for name in finding.segment_ids))
        if ids:
            self._sources.append(Source(pointer=pointer, segment_ids=ids))

    def _fits(self, value: Any, node: Mapping[str, Any]) -> bool:
        return value is not MISSING and self._validator.evolve(schema=node).is_valid(value)

    def _plain(self, node: Mapping[str, Any]) -> dict[str, Any]:
        """A node with resolved references and, of several options, the richest one."""
        plain = resolve(self._schema, node)
        for keyword in ("anyOf", "oneOf"):
            if choices := plain.pop(keyword, None):
                options = [resolve(self._schema, choice) for choice in choices]
                richest = max(options, key=lambda option: _richness(_types(option)))
                nullable = any("null" in _types(option) for option in options)
                plain = {**plain, **self._plain(richest)}
                if nullable and "type" in plain:
                    plain["type"] = [*_types(plain), "null"]
        for part in plain.pop("allOf", ()):
            plain = {**self._plain(part), **plain}
        return plain

    def _nothing(self, node: Mapping[str, Any]) -> Any:
        """The value that means that nothing was found, or MISSING."""
        if "const" in node:
            return node["const"]
        if "enum" in node:
            return next((value for value in NO_CHOICE if value in node["enum"]), MISSING)
        options: dict[str, Any] = {
            "null": None,
            "array": [],
            "string": "" if not node.get("minLength") else NOT_STATED,
        }
        for kind, value in options.items():
            if kind in _types(node) and self._validator.evolve(schema=dict(node)).is_valid(value):
                return value
        if "object" in _types(node):
            return self._object(node, "", Finding(text="", segment_ids=()))
        return MISSING


def _types(node: Mapping[str, Any]) -> Sequence[str]:
    kinds = node.get("type", ())
    return (kinds,) if isinstance(kinds, str) else kinds


def _richness(kinds: Sequence[str]) -> int:
    order = ("null", "boolean", "integer", "number", "string", "array", "object")
    return max((order.index(kind) for kind in kinds), default=-1)


def _fit(text: str, node: Mapping[str, Any]) -> Any:
    if "enum" in node or "const" in node:
        choices = node.get("enum", [node.get("const")])
        same = (each for each in choices if str(each).casefold() == text.casefold())
        return next(same, MISSING)
    most = node.get("maxLength")
    return text if most is None else shorten(text, most)


def _whole(text: str, node: Mapping[str, Any]) -> Any:
    """A text that must not be shortened, such as a date; in ISO format if required."""
    value = iso_date(text) if node.get("format") == "date" else text
    return MISSING if value is None else value
