"""A `format` in a schema is a promise: what does not have it never passes."""

from __future__ import annotations

import json

import pytest

from maie_core.errors import StageError
from maie_templates import FORMATS, Template, validator

pytestmark = pytest.mark.unit

RIGHT_AND_WRONG = {
    "date": (["2026-12-01", "2024-02-29"], ["next Tuesday", "2026-02-29", "20261201", "1.12.2026"]),
    "date-time": (["2026-12-01T09:30:00Z"], ["2026-12-01", "2026-12-01T09:30:00", "noon"]),
    "time": (["09:30:00Z", "09:30:00+01:00"], ["half past nine", "25:00:00Z", "9:30"]),
    "duration": (["P3D", "PT1H30M"], ["three days", "P", "3 d"]),
    "email": (["ann@example.org"], ["Ann", "@", "ann@", "ann at@ example.org", "a@b@example.org"]),
    "hostname": (["example.org", "localhost"], ["-x.org", "the server", "a..b"]),
    "ipv4": (["192.0.2.1"], ["192.0.2.256", "192.0.2", "one"]),
    "ipv6": (["2001:db8::1"], ["2001:db8:::1", "192.0.2.1"]),
    "uri": (["https://example.org/a?b=c"], ["example", "the web page", "/a"]),
    "uuid": (["6ba7b810-9dad-11d1-80b4-00c04fd430c8"], ["6ba7b810", "a number"]),
}


def test_every_format_that_may_be_asked_for_is_tried_here() -> None:
    assert set(RIGHT_AND_WRONG) == FORMATS


@pytest.mark.parametrize("name", RIGHT_AND_WRONG)
def test_a_format_is_held(name: str) -> None:
    held = validator({"type": ["string", "null"], "format": name})
    right, wrong = RIGHT_AND_WRONG[name]
    assert [text for text in right if not held.is_valid(text)] == []
    assert [text for text in wrong if held.is_valid(text)] == []
    assert held.is_valid(None)


def test_the_answer_of_an_example_has_the_formats_that_its_schema_asks_for() -> None:
    schema = {
        "title": "Release",
        "description": "When it comes.",
        "type": "object",
        "properties": {"when": {"type": "string", "format": "date", "maxLength": 10}},
    }
    example = {"transcript": ["On Monday."], "answer": {"when": "Monday"}, "lines": {"/when": [1]}}
    with pytest.raises(StageError, match="'Monday' is not a 'date'"):
        Template.parse("release", json.dumps(schema), "{{ transcript }}", json.dumps([example]))
