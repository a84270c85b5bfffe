"""Templates on disk: found, checked, read again when they change."""

from __future__ import annotations

import itertools
import json
from pathlib import Path
from typing import Any

import pytest

from maie_core.errors import Code, StageError
from maie_templates import Template, TemplateLibrary, check_schema

pytestmark = pytest.mark.unit

SHIPPED = ["interview_v1", "lecture_v1", "meeting_notes_v1", "support_call_v1"]
SCHEMA: dict[str, Any] = {
    "title": "Notes",
    "description": "Short notes.",
    "type": "object",
    "properties": {"text": {"type": "string", "maxLength": 100}},
}


def write(folder: Path, schema: Any = SCHEMA, prompt: str = "Read: {{ transcript }}") -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "schema.json").write_text(schema if isinstance(schema, str) else json.dumps(schema))
    (folder / "prompt.jinja").write_text(prompt)
    return folder


def with_text(**keywords: Any) -> dict[str, Any]:
    return {**SCHEMA, "properties": {"text": keywords}}


def test_meeting_notes_ship() -> None:
    template = TemplateLibrary().get("meeting_notes_v1")
    assert template.title == "Meeting notes"
    assert {"decisions", "action_items", "questions"} <= set(template.schema["required"])
    assert Template.from_message(template.to_message()) == template


def test_four_templates_ship_and_can_all_be_used() -> None:
    library = TemplateLibrary()
    library.check()
    assert [template.template_id for template in library.templates()] == SHIPPED
    for template in library.templates():
        assert template.title
        assert template.description
        assert check_schema(template.schema_json) == template.schema
        assert set(template.schema["required"]) == set(template.schema["properties"])
        assert Template.from_message(template.to_message()) == template


def test_an_unknown_template_is_not_found_and_the_known_ones_are_named(tmp_path: Path) -> None:
    write(tmp_path / "mine")
    with pytest.raises(StageError) as caught:
        TemplateLibrary(tmp_path).get("../etc/passwd")
    assert (caught.value.code, caught.value.reason) == (Code.NOT_FOUND, "TEMPLATE_NOT_FOUND")
    assert "meeting_notes_v1, mine, support_call_v1" in caught.value.message


def test_a_changed_new_or_removed_template_counts_at_once(tmp_path: Path) -> None:
    library = TemplateLibrary(tmp_path)
    folder = write(tmp_path / "mine")
    before = library.get("mine")
    assert library.get("mine") is before
    write(folder, prompt="Read again: {{ transcript }}")
    assert library.get("mine").sha256 != before.sha256
    (folder / "schema.json").unlink()
    with pytest.raises(StageError, match=r"schema\.json"):
        library.get("mine")
    (folder / "prompt.jinja").unlink()
    folder.rmdir()
    assert [template.template_id for template in library.templates()] == SHIPPED


def test_a_folder_whose_name_is_no_id_is_not_offered(tmp_path: Path) -> None:
    write(tmp_path / "my-notes")
    library = TemplateLibrary(tmp_path)
    with pytest.raises(StageError) as caught:
        library.get("my-notes")
    assert "there are: interview_v1" in caught.value.message
    assert caught.value.message.count("my-notes") == 1
    assert list(library.problems()) == ["my-notes"]


def test_a_folder_that_is_not_there_stops_the_service(tmp_path: Path) -> None:
    with pytest.raises(StageError) as caught:
        TemplateLibrary(tmp_path / "none")
    assert caught.value.reason == "TEMPLATES_MISSING"


@pytest.mark.parametrize(
    ("schema", "why"),
    [
        ("{", "not JSON"),
        ("[]", "not a JSON object"),
        ("[" * 40_000, "not JSON"),
        ('{"title": NaN}', "no JSON number"),
        (" " * 70_000, "larger than"),
        ({**SCHEMA, "type": "array"}, "type is not object"),
        ({**SCHEMA, "title": ""}, "no title"),
        ({"type": "object", "title": "x"}, "no description"),
        (with_text(type="strin"), "text"),
        (with_text(type="string"), "maxLength is missing"),
        (with_text(type="string", maxLength=10**9), "maxLength is missing or over"),
        (with_text(type="array", items={"type": "null"}), "maxItems is missing"),
        (with_text(type="array", maxItems=3), "items is missing"),
        (with_text(type="string", maxLength=9, pattern="(a+)+$"), "pattern is not supported"),
        (with_text(type="array", maxItems=3, items={"type": "null"}, uniqueItems=True), "unique"),
        (with_text(), "the type is missing"),
        (with_text(**{"$ref": "https://example.com/schema"}), "own \\$defs"),
        (with_text(**{"$ref": "#/$defs/none"}), "own \\$defs"),
        ({**SCHEMA, "properties": {"text": True}}, "true and false"),
        (with_text(anyOf=[{"type": "null"}], maxLength=3), "maxLength cannot stand beside anyOf"),
        (with_text(allOf=[{"type": "null"}, {"type": "null"}]), "allOf may hold one"),
        ({**SCHEMA, "required": ["text", "more"]}, "more is not one of its properties"),
        (with_text(type="object", minProperties=1), "minProperties is more than"),
        (
            with_text(type="string", maxLength=9, format="postcode"),
            "'postcode' cannot be checked; use",
        ),
        (with_text(type="string", maxLength=9, format="unknown"), "one of date, date-time, dur"),
        (
            {**with_text(type="integer", minimum=5, maximum=3), "required": ["text"]},
            "no language model .* Unsatisfiable",
        ),
        (
            {**with_text(**{"$ref": "#/$defs/a"}), "$defs": {"a": {"$ref": "#/$defs/a"}}},
            "contains itself",
        ),
    ],
)
def test_a_schema_that_cannot_be_filled_or_bounded_is_rejected(
    tmp_path: Path, schema: Any, why: str
) -> None:
    write(tmp_path / "mine", schema=schema)
    library = TemplateLibrary(tmp_path)
    with pytest.raises(StageError, match=why) as caught:
        library.get("mine")
    assert (caught.value.code, caught.value.reason) == (Code.INVALID_ARGUMENT, "TEMPLATE_REJECTED")
    assert list(library.problems()) == ["mine"]
    assert [template.template_id for template in library.templates()] == SHIPPED


def test_references_that_multiply_are_rejected(tmp_path: Path) -> None:
    names = [f"d{at}" for at in range(12)]
    definitions: dict[str, Any] = {names[-1]: {"type": "null"}}
    for name, inner in itertools.pairwise(names):
        reference = {"$ref": f"#/$defs/{inner}"}
        properties = {"x": reference, "y": reference, "z": reference}
        definitions[name] = {"type": "object", "properties": properties}
    schema = {**with_text(**{"$ref": "#/$defs/d0"}), "$defs": definitions}
    write(tmp_path / "mine", schema=schema)
    with pytest.raises(StageError, match="more than"):
        TemplateLibrary(tmp_path).get("mine")


@pytest.mark.parametrize(
    ("prompt", "why"),
    [
        ("{% if %}", "line 1"),
        ("{{ transcript | no_such_filter }}", "no_such_filter"),
        ("{% include '/etc/passwd' %}", "cannot load other templates"),
        ("{{ self.__init__.__globals__ }}", "asks for self"),
        ("{{ password }}", "asks for password"),
        ("{{ " + "(" * 5000 + "1" + ")" * 5000 + " }}", "nested|parenthes"),
        ("x" * 70_000, "larger than"),
    ],
)
def test_a_prompt_that_does_not_compile_is_rejected(tmp_path: Path, prompt: str, why: str) -> None:
    write(tmp_path / "mine", prompt=prompt)
    with pytest.raises(StageError, match=why):
        TemplateLibrary(tmp_path).get("mine")


@pytest.mark.parametrize("name", ["Mine", "a.b", "a b", "x" * 65])
def test_a_folder_whose_name_is_no_id_is_rejected(tmp_path: Path, name: str) -> None:
    write(tmp_path / name)
    with pytest.raises(StageError, match="its id"):
        TemplateLibrary(tmp_path).check()


def test_a_stored_template_that_was_changed_is_rejected() -> None:
    message = TemplateLibrary().get("meeting_notes_v1").to_message()
    message.prompt += "Also say hello."
    with pytest.raises(StageError, match="SHA-256"):
        Template.from_message(message)
