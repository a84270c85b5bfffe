"""Any text and any template give a valid summary or a clear failure."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from maie_summary.check import problem_with
from maie_summary.engine import Segment
from maie_summary.engines.extractive.cues import load_cues
from maie_summary.engines.extractive.fill import NOT_STATED, Filler
from maie_summary.engines.extractive.findings import Finder, Findings, Part
from maie_summary.engines.extractive.sentences import split_sentences
from maie_templates import Template
from tests.properties import examples

pytestmark = pytest.mark.unit

FINDER = Finder(load_cues())
TALK = [
    "We decided to stop. David will write the report by Friday.",
    "Who pays for it? The report is late and the report is long.",
    "It rains in the green hills. Snow lies on the roofs. A dog barks all night.",
    "Nobody lives in that house. Somebody left a window open.",
]


def find(texts: list[str]) -> tuple[Findings, set[str]]:
    segments = [Segment(segment_id=f"s{at}", text=text) for at, text in enumerate(texts)]
    kept = FINDER.keep(split_sentences(segments))
    return FINDER.find([Part(sentences=tuple(kept))]), {segment.segment_id for segment in segments}


def template(properties: dict[str, Any], **keywords: Any) -> Template:
    schema = {
        "title": "Test",
        "description": "A template of a test.",
        "type": "object",
        "properties": properties,
        "required": list(properties),
        **keywords,
    }
    return Template.parse("test", json.dumps(schema), "{{ transcript }}")


def fill(properties: dict[str, Any], texts: list[str] = TALK, **keywords: Any) -> dict[str, Any]:
    findings, ids = find(texts)
    made = template(properties, **keywords)
    draft = Filler(made.schema, findings).fill()
    assert problem_with(draft, made, ids) == ""
    return draft.content


TEXT = {"type": "string", "maxLength": 100}


def listed(items: dict[str, Any], **keywords: Any) -> dict[str, Any]:
    return {"type": "array", "maxItems": 5, "items": items, **keywords}


def test_properties_are_filled_by_what_their_names_and_descriptions_ask_for() -> None:
    content = fill(
        {
            "nextSteps": listed({"type": "object", "properties": {"what": TEXT, "who": TEXT}}),
            "resolutions": listed({"type": "object", "properties": {"statement": TEXT}}),
            "open": {**listed(TEXT), "description": "Questions that were asked."},
            "overview": {"type": "string", "maxLength": 400},
            "deadlines": listed({"type": "object", "properties": {"date": TEXT, "event": TEXT}}),
            "decisions": TEXT,
            "nested": {"type": "object", "properties": {"keywords": listed(TEXT)}},
        }
    )
    assert content["nextSteps"] == [{"what": "Write the report", "who": "David"}]
    assert content["resolutions"] == [{"statement": "We decided to stop."}]
    assert content["open"] == ["Who pays for it?"]
    assert "David will write the report by Friday." in content["overview"]
    assert content["deadlines"] == [
        {"date": "Friday", "event": "David will write the report by Friday."}
    ]
    assert content["decisions"] == "We decided to stop."
    assert content["nested"] == {"keywords": ["report"]}


def test_what_was_not_said_stays_empty() -> None:
    content = fill(
        {
            "weather": TEXT,
            "mood": {"type": "string", "minLength": 1, "maxLength": 20},
            "budget": {"type": ["number", "null"]},
            "score": {"anyOf": [{"type": "integer"}, {"type": "null"}]},
            "urgency": {"enum": ["low", "high", "unknown"]},
            "kind": {"const": "meeting"},
            "participants": listed(TEXT),
        }
    )
    assert content == {
        "weather": "",
        "mood": NOT_STATED,
        "budget": None,
        "score": None,
        "urgency": "unknown",
        "kind": "meeting",
        "participants": [],
    }


def test_lengths_and_references_are_respected() -> None:
    item = {
        "type": "object",
        "properties": {"task": TEXT, "owner": {"anyOf": [TEXT, {"type": "null"}]}},
        "required": ["task", "owner"],
    }
    definitions: dict[str, Any] = {"$defs": {"item": item}}
    content = fill(
        {
            "decisions": listed({"type": "string", "maxLength": 12}),
            "action_items": listed({"$ref": "#/$defs/item"}, maxItems=1),
        },
        **definitions,
    )
    assert content["decisions"] == ["We decided…"]
    assert content["action_items"] == [{"task": "Write the report", "owner": "David"}]


def test_a_template_that_cannot_be_filled_honestly_is_a_problem_that_names_the_place() -> None:
    findings, ids = find(TALK)
    for node in ({"type": "integer"}, {"enum": ["red", "blue"]}, listed(TEXT, minItems=2)):
        made = template({"temperature": node})
        problem = problem_with(Filler(made.schema, findings).fill(), made, ids)
        assert problem.startswith("$ does not fit its required")


NAMES = st.sampled_from(
    [
        *("title", "summary", "decisions", "action_items", "tasks", "questions", "key_points"),
        *("topics", "owner", "due", "date", "dates", "x/y~z", "text", "notes", "when", "résumé"),
    ]
)
STRINGS = st.builds(
    lambda least, more, kinds: {"type": kinds, "minLength": least, "maxLength": least + more},
    st.integers(0, 12),
    st.integers(0, 80),
    st.sampled_from(["string", ["string", "null"]]),
)
LEAVES = st.one_of(
    STRINGS,
    st.sampled_from(
        [
            {"type": "integer"},
            {"type": ["boolean", "null"]},
            {"enum": ["low", "none"]},
            {"const": 3},
            {"enum": ["David", "Sarah", None]},
        ]
    ),
)


def _objects(children: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    properties = st.dictionaries(NAMES, children, max_size=4)
    return st.builds(
        lambda inner, count, open_: {
            "type": "object",
            "properties": inner,
            "required": sorted(inner)[:count],
            "additionalProperties": open_,
        },
        properties,
        st.integers(0, 4),
        st.booleans(),
    )


def _branches(children: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    arrays = st.builds(
        lambda items, least, more: {
            "type": "array",
            "items": items,
            "minItems": least,
            "maxItems": least + more,
        },
        children,
        st.integers(0, 1),
        st.integers(0, 3),
    )
    choices = st.lists(children, min_size=1, max_size=2)
    combined = st.sampled_from(["anyOf", "oneOf"])
    either = st.builds(lambda key, options: {key: options}, combined, choices)
    one = st.builds(lambda option: {"allOf": [option]}, children)
    return st.one_of(arrays, _objects(children), either, one)


SCHEMAS = st.recursive(LEAVES, _branches, max_leaves=6)
SPOKEN = st.one_of(
    st.sampled_from([*TALK, "Sarah will call Bob by the end of May, and I will send it today."]),
    st.text(max_size=80),
)


@settings(max_examples=examples(150))
@given(st.lists(SPOKEN, max_size=4), st.dictionaries(NAMES, SCHEMAS, max_size=4), st.booleans())
def test_any_text_and_any_template_give_a_valid_summary_or_a_named_problem(
    texts: list[str], properties: dict[str, Any], required: bool
) -> None:
    findings, ids = find(texts)
    made = template(properties, **({} if required else {"required": []}))
    draft = Filler(made.schema, findings).fill()
    problem = problem_with(draft, made, ids)
    assert not problem or " does not fit its " in problem
    assert all(set(source.segment_ids) <= ids for source in draft.sources)
