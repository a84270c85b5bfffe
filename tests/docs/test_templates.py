"""docs/templates.md names the templates that ship, and its example can be used."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from maie_templates import PROMPT_VARIABLES, Template, TemplateLibrary

pytestmark = pytest.mark.unit

PAGE = (Path(__file__).parents[2] / "docs" / "templates.md").read_text()
TEXT = {"type": "string", "maxLength": 100}
SCHEMA = {
    "title": "Test",
    "description": "What the example of the page fits.",
    "type": "object",
    "properties": {
        "questions": {"type": "array", "maxItems": 5, "items": TEXT},
        "tasks": {
            "type": "array",
            "maxItems": 5,
            "items": {"type": "object", "properties": {"task": TEXT, "owner": TEXT}},
        },
    },
}


def test_the_page_names_all_templates_and_variables() -> None:
    rows = re.findall(r"^\| `(\w+_v\d)` \|", PAGE, re.MULTILINE)
    assert sorted(rows) == [each.template_id for each in TemplateLibrary().templates()]
    assert all(f"`{name}`" in PAGE for name in PROMPT_VARIABLES)


def test_the_example_of_the_page_is_one() -> None:
    found = re.search(r"```json\n(.*?)```", PAGE, re.DOTALL)
    assert found
    template = Template.parse("test", json.dumps(SCHEMA), "{{ examples }}", found.group(1))
    assert template.examples[0].lines["/tasks/0"] == (2,)
