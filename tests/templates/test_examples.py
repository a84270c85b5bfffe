"""Examples of templates: checked when they are loaded, kept, and hashed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from maie_core.errors import Code, StageError
from maie_templates import Template, TemplateLibrary

pytestmark = pytest.mark.unit

SCHEMA = {
    "title": "Notes",
    "description": "Short notes.",
    "type": "object",
    "properties": {
        "text": {"type": "string", "maxLength": 20},
        "mood": {"type": ["string", "null"], "maxLength": 20},
        "tasks": {
            "type": "array",
            "maxItems": 3,
            "items": {"type": "object", "properties": {"a/b": {"type": "integer"}}},
        },
    },
    "required": ["text"],
}
PROMPT = "{{ examples }} Read: {{ transcript }}"
EXAMPLE: dict[str, Any] = {
    "transcript": ["It is late.", "Do one thing."],
    "answer": {"text": "Late", "mood": None, "tasks": [{"a/b": 1}]},
    "lines": {"/text": [1], "/tasks/0": [1, 2]},
}


def parse(*examples: Any, text: str | None = None) -> Template:
    written = json.dumps(examples) if text is None else text
    return Template.parse("test", json.dumps(SCHEMA), PROMPT, written)


def test_examples_are_kept_and_counted_into_the_hash() -> None:
    template = parse(EXAMPLE)
    assert template.examples[0].transcript == ("It is late.", "Do one thing.")
    assert template.examples[0].lines["/tasks/0"] == (1, 2)
    assert Template.from_message(template.to_message()) == template
    assert template.sha256 != parse(text="").sha256
    changed = template.to_message()
    changed.examples_json = changed.examples_json.replace("late", "soon")
    with pytest.raises(StageError, match="SHA-256"):
        Template.from_message(changed)


def test_a_template_without_examples_hashes_as_it_always_did() -> None:
    template = TemplateLibrary().get("meeting_notes_v1")
    assert template.examples == ()
    assert template.sha256.startswith("ec69bf5f157fcbc1")


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("{", "not JSON"),
        ("[]", "list: .*at least 1"),
        (json.dumps([EXAMPLE] * 9), "at most 8"),
        ("[" * 40_000, "not JSON"),
        (" " * 70_000, "larger than"),
        ('[{"transcript": []}]', "0/transcript: .*at least 1"),
    ],
)
def test_what_is_no_list_of_examples_is_rejected(text: str, why: str) -> None:
    with pytest.raises(StageError, match=why) as caught:
        parse(text=text)
    assert (caught.value.code, caught.value.reason) == (Code.INVALID_ARGUMENT, "TEMPLATE_REJECTED")


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"more": 1}, "0/more"),
        ({"transcript": [""]}, "0/transcript/0"),
        ({"answer": {"mood": None}}, "example 1 does not fit the schema: .*'text' is a required"),
        ({"answer": {"text": "x" * 21}}, "example 1 does not fit the schema: .*text: .*too long"),
        ({"lines": {"/text": [1]}}, "/tasks/0 comes from none"),
        ({"lines": {**EXAMPLE["lines"], "/task": [1]}}, "/task is no item"),
        ({"lines": {**EXAMPLE["lines"], "/tasks/0/a~1b": [1]}}, "a~1b is no item"),
        ({"lines": {**EXAMPLE["lines"], "/text": [3]}}, "line 3, which is not there"),
        ({"lines": {**EXAMPLE["lines"], "/text": [0]}}, "0/lines/"),
        ({"lines": {**EXAMPLE["lines"], "/text": []}}, "0/lines/"),
        ({"lines": {**EXAMPLE["lines"], "/text": ["1"]}}, "0/lines/"),
    ],
)
def test_an_example_that_the_template_would_not_give_is_rejected(
    change: dict[str, Any], why: str
) -> None:
    with pytest.raises(StageError, match=why):
        parse({**EXAMPLE, **change})


def test_changed_new_or_removed_examples_count_at_once(tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "schema.json").write_text(json.dumps(SCHEMA))
    (folder / "prompt.jinja").write_text(PROMPT)
    library = TemplateLibrary(tmp_path)
    without = library.get("mine")
    assert without.examples == ()
    file = folder / "examples.json"
    file.write_text(json.dumps([EXAMPLE]))
    assert len(library.get("mine").examples) == 1
    file.write_text(json.dumps([EXAMPLE, EXAMPLE]))
    assert len(library.get("mine").examples) == 2
    file.write_text("nonsense")
    with pytest.raises(StageError, match="examples are not JSON"):
        library.get("mine")
    file.unlink()
    assert library.get("mine") == without
    file.mkdir()
    with pytest.raises(StageError, match=r"examples\.json cannot be read"):
        library.get("mine")
