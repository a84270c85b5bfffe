"""What docs/tracing.md says of spans and attributes is what the code makes."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from maie_core import attributes

pytestmark = pytest.mark.unit

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "tracing.md").read_text()
CODE = [
    path
    for folder in ("gateway", "libs", "services")
    for path in (ROOT / folder).rglob("*.py")
    if "contracts" not in path.parts and ".venv" not in path.parts
]
# What makes a span, and where in its arguments the name is.
MAKERS = {"span": 1, "slow_span": 1, "start_span": 0, "engine_call": 0, "changing": 1, "_span": 0}
# Messages of ASGI, which are no attributes.
ASGI = {"http.disconnect", "http.response.start"}
OTHERS = re.compile(r'"((?:rpc|messaging|http|gen_ai|server|error)\.[a-z_.]+)"')


def _table(heading: str) -> set[str]:
    """The names in the first column of a table."""
    rows = PAGE[PAGE.index(heading) :].splitlines()[2:]
    names: set[str] = set()
    for row in rows:
        if not row.startswith("|"):
            return names
        names |= set(re.findall(r"`([^`]+)`", row.split("|")[1]))
    return names


SPANS = _table("| span | kind")
ATTRIBUTES = _table("| attribute | on")


def _names() -> Iterator[str]:
    """The names of spans in the code; what varies is in capitals."""
    for path in CODE:
        for node in ast.walk(ast.parse(path.read_text())):
            if not isinstance(node, ast.Call):
                continue
            function = node.func
            called = getattr(function, "attr", getattr(function, "id", ""))
            place = MAKERS.get(called, -1)
            if 0 <= place < len(node.args) and (name := _text(node.args[place])):
                yield name


def _text(node: ast.expr) -> str:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        first = node.values[0]
        return str(first.value) if isinstance(first, ast.Constant) else ""
    return ""


def test_each_span_of_the_code_is_on_the_page() -> None:
    made = set(_names())
    fixed = {name for name in made if name.startswith("maie.")}
    assert fixed == {name for name in SPANS if re.fullmatch(r"maie\.[a-z.]+", name)}
    # The others have a name that varies: they begin alike.
    beginnings = {name.split()[0] for name in made - fixed}
    assert beginnings == {"chat", "publish", "process", "GET", "POST"}
    assert {"chat MODEL", "publish DESTINATION", "GET", "POST"} <= SPANS
    assert {"process maie.task.STAGE.LANE", "process maie.event.STAGE"} <= SPANS


def test_each_attribute_of_the_code_is_on_the_page() -> None:
    ours = {
        value
        for name, value in vars(attributes).items()
        if name.isupper() and isinstance(value, str) and value.startswith("maie.")
    }
    assert ours == {name for name in ATTRIBUTES if name.startswith("maie.")}
    theirs = {name for path in CODE for name in OTHERS.findall(path.read_text())} - ASGI
    documented = {name for name in ATTRIBUTES if not name.startswith("maie.")}
    assert theirs - {"rpc.server.call.duration"} == documented


def test_the_names_of_attributes_are_used() -> None:
    code = "\n".join(path.read_text() for path in CODE if path.name != "attributes.py")
    unused = [
        name for name in vars(attributes) if name.isupper() and not re.search(rf"\b{name}\b", code)
    ]
    assert not unused
