"""Schemas with line numbers, and the way back: for every schema that a template may have."""

from __future__ import annotations

import json
from random import Random
from typing import Any

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from llguidance import LLMatcher

from maie_summary.check import problem_with
from maie_summary.engine import Draft, Source
from maie_summary.llm.cited import MAX_LINES, Citation, cited_schema, uncited
from maie_templates import Template, TemplateLibrary
from maie_templates.checks import MAX_ARRAY_LENGTH, MAX_STRING_LENGTH
from tests.properties import examples
from tests.summary.filling import Filler, Impossible

pytestmark = pytest.mark.unit

TEXT = {"type": "string", "maxLength": 40}


def template(properties: dict[str, Any], **keywords: Any) -> Template:
    schema = {
        "title": "Test",
        "description": "A template of a test.",
        "type": "object",
        "properties": properties,
        **keywords,
    }
    return Template.parse("test", json.dumps(schema), "{{ transcript }}")


def said(text: Any, *lines: int) -> dict[str, Any]:
    return {"text": text, "lines": list(lines)}


def test_single_values_and_items_of_lists_say_where_they_come_from() -> None:
    meeting = template(
        {
            "title": TEXT,
            "mood": {"type": ["string", "null"], "maxLength": 9},
            "score": {"anyOf": [{"type": "integer"}, {"type": "null"}]},
            "kind": {"const": "meeting"},
            "topics": {"type": "array", "items": TEXT, "maxItems": 3},
            "tasks": {"type": "array", "items": {"$ref": "#/$defs/task"}, "maxItems": 3},
            "caller": {"type": "object", "properties": {"name": TEXT}},
            "names": {"type": "object", "additionalProperties": TEXT},
        },
        **{"$defs": {"task": {"type": "object", "properties": {"what": TEXT}}}},
    )
    answer = {
        "title": said("Release", 1),
        "mood": None,
        "score": said(3, 2),
        "kind": "meeting",
        "topics": [said("Price", 2, 3, 2), said("", 4)],
        "tasks": [{"what": "Write", "lines": [5, 6.0]}],
        "caller": {"name": said("Susan", 7)},
        "names": {"a/b": said("Bob", 8)},
    }
    Draft202012Validator(cited_schema(meeting.schema)).validate(answer)
    content, citations = uncited(meeting.schema, answer)
    assert content == {
        "title": "Release",
        "mood": None,
        "score": 3,
        "kind": "meeting",
        "topics": ["Price", ""],
        "tasks": [{"what": "Write"}],
        "caller": {"name": "Susan"},
        "names": {"a/b": "Bob"},
    }
    assert citations == [
        Citation(pointer="/title", lines=(1,)),
        Citation(pointer="/score", lines=(2,)),
        Citation(pointer="/topics/0", lines=(2, 3)),
        Citation(pointer="/tasks/0", lines=(5, 6)),
        Citation(pointer="/caller/name", lines=(7,)),
        Citation(pointer="/names/a~1b", lines=(8,)),
    ]


def test_an_item_that_has_lines_of_its_own_keeps_them() -> None:
    poems = template(
        {"poems": {"type": "array", "items": {"$ref": "#/$defs/lines"}, "maxItems": 2}},
        **{
            "$defs": {
                "lines": {"type": "object", "properties": {"lines": TEXT}, "required": ["lines"]}
            }
        },
    )
    answer = {"poems": [said({"lines": "Tyger"}, 4)]}
    Draft202012Validator(cited_schema(poems.schema)).validate(answer)
    content, citations = uncited(poems.schema, answer)
    assert content == {"poems": [{"lines": "Tyger"}]}
    assert citations == [Citation(pointer="/poems/0", lines=(4,))]


def test_only_lines_that_there_are_fit() -> None:
    notes = template({"title": TEXT})
    validator = Draft202012Validator(cited_schema(notes.schema, 3, 5))
    assert validator.is_valid({"title": said("Price", 3, 5)})
    for lines in ([2], [6], [], [3.5], list(range(3, 6)) * 3):
        assert not validator.is_valid({"title": {"text": "Price", "lines": lines}})


def test_what_the_template_leaves_open_is_closed() -> None:
    open_ = template({"a": {"type": "object"}, "b": {"anyOf": [TEXT, {"type": "object"}]}})
    validator = Draft202012Validator(cited_schema(open_.schema))
    assert validator.is_valid({"a": {}, "b": said({}, 1)})
    assert not validator.is_valid({"more": 1})
    assert not validator.is_valid({"a": {"more": 1}})
    assert not validator.is_valid({"b": said({"more": 1}, 1)})


def test_meeting_notes_can_be_asked_of_a_model() -> None:
    cited = cited_schema(TemplateLibrary().get("meeting_notes_v1").schema, 1, 900)
    assert cited["properties"]["action_items"]["items"]["required"][-1] == "lines"
    assert LLMatcher.validate_grammar(LLMatcher.grammar_from_json_schema(json.dumps(cited))) == ""


NAMES = st.sampled_from(["title", "x/y~z", "lines", "text", "résumé", "$ref"])
NOTED = st.fixed_dictionaries(
    {},
    optional={
        "description": st.just("What it is."),
        "examples": st.just(["one"]),
        "default": st.just("none"),
        "title": st.just("A title"),
        "deprecated": st.just(True),
        "$comment": st.just("Why."),
    },
)
LEAVES = st.one_of(
    st.builds(
        lambda kinds, least, more: {"type": kinds, "minLength": least, "maxLength": least + more},
        st.sampled_from(["string", ["string", "null"], ["integer", "string"]]),
        st.integers(0, 3),
        st.integers(0, 9),
    ),
    st.sampled_from(
        [
            {"type": "string", "format": "date", "maxLength": 10},
            {"type": "integer", "minimum": 1, "maximum": 5},
            {"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 10},
            {"type": "integer", "multipleOf": 5},
            {"type": ["boolean", "null"]},
            {"type": "null"},
            {"enum": ["low", None, 3]},
            {"enum": ["high"], "type": "string"},
            {"const": {"lines": [1]}},
            {"$ref": "#/$defs/lines"},
            {"$ref": "#/$defs/person"},
            {"$ref": "#/$defs/people"},
        ]
    ),
)


def _objects(children: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.builds(
        lambda inner, required, rest, bounds: {
            "type": "object",
            "properties": inner,
            "required": sorted(inner)[: None if bounds else required],
            **({} if rest is None else {"additionalProperties": rest}),
            **({"minProperties": min(1, len(inner)), "maxProperties": 9} if bounds else {}),
        },
        st.dictionaries(NAMES, children, max_size=3),
        st.integers(0, 3),
        st.one_of(st.none(), st.booleans(), children),
        st.booleans(),
    )


def _branches(children: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.one_of(
        _objects(children),
        st.builds(
            lambda items, least, kinds: {
                "type": kinds,
                "items": items,
                "minItems": least,
                "maxItems": least + 2,
            },
            children,
            st.integers(0, 2),
            st.sampled_from(["array", ["array"], ["array", "null"]]),
        ),
        st.builds(lambda options: {"anyOf": options}, st.lists(children, min_size=1, max_size=3)),
        st.builds(lambda child: {"anyOf": [{"type": "null"}, child]}, children),
        st.builds(lambda child: {"oneOf": [child, {"type": "boolean"}]}, children),
        st.builds(lambda child: {"allOf": [child]}, children),
    )


def _noted(nodes: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.builds(lambda notes, node: {**notes, **node}, NOTED, nodes)


SCHEMAS = st.recursive(_noted(LEAVES), lambda children: _noted(_branches(children)), max_leaves=8)
DEFINITIONS = {
    "lines": TEXT,
    "person": {"type": "object", "properties": {"name": {"$ref": "#/$defs/lines"}}},
    "people": {"type": "array", "items": {"$ref": "#/$defs/person"}, "maxItems": 2},
    "unused": {"type": "integer"},
}


def _bounds(node: Any) -> None:
    """Fails where a string, an array or an object has no end."""
    if isinstance(node, dict):
        kinds = node.get("type", ())
        kinds = (kinds,) if isinstance(kinds, str) else kinds
        if isinstance(kinds, list | tuple) and not {"enum", "const"} & set(node):
            assert "string" not in kinds or node["maxLength"] <= MAX_STRING_LENGTH
            assert "array" not in kinds or node["maxItems"] <= MAX_ARRAY_LENGTH
            assert "object" not in kinds or node["additionalProperties"] is not True
        for child in node.values():
            _bounds(child)
    elif isinstance(node, list):
        for child in node:
            _bounds(child)


@settings(max_examples=examples(100))
@given(st.dictionaries(NAMES, SCHEMAS, max_size=3), st.integers(0, 2**32), st.integers(1, 50))
@example({"a": {"type": ["array", "null"], "items": {"const": 1}, "maxItems": 2}}, 1, 9)
def test_every_answer_that_fits_is_a_summary_with_citations(
    properties: dict[str, Any], seed: int, last: int
) -> None:
    made = template(properties, **{"$defs": DEFINITIONS})
    cited = cited_schema(made.schema, 1, last)
    Draft202012Validator.check_schema(cited)
    _bounds(cited)
    assert LLMatcher.validate_grammar(LLMatcher.grammar_from_json_schema(json.dumps(cited))) == ""
    try:
        answer = Filler(cited, Random(seed)).fill()
    except Impossible:
        assume(False)
    assume(Draft202012Validator(cited).is_valid(answer))

    content, citations = uncited(made.schema, answer)
    lines = {str(number) for number in range(1, last + 1)}
    sources = [
        Source(pointer=each.pointer, segment_ids=tuple(map(str, each.lines))) for each in citations
    ]
    if "oneOf" in json.dumps(properties):
        # Whether but one option fits is for the check to see.
        return
    assert problem_with(Draft(content=content, sources=tuple(sources)), made, lines) == ""
    assert len({each.pointer for each in citations}) == len(citations)
    assert all(0 < len(each.lines) <= MAX_LINES for each in citations)
