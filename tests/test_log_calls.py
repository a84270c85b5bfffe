"""No log call names the ids of a job by itself: what works on a job has them on each line."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

pytestmark = pytest.mark.unit

ROOT = Path(__file__).parents[1]
LEVELS = {"debug", "info", "warning", "error", "exception", "critical"}
BOUND = {"job", "job_id", "session", "session_id", "trace_id"}
# Of these jobs there is no record, which alone says whose they were.
WITHOUT_RECORD = {"sweep.messages_removed", "sweep.names_erased", "sweep.key_destroyed"}
# It has all that is in the entry, in the entry's own words.
ENTRIES = {"audit.entry_not_written"}


def calls() -> Iterator[tuple[str, str, set[str]]]:
    """All calls of a log: where, its event and its keywords."""
    for folder in ("libs", "services", "gateway"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text())):
                match node:
                    case ast.Call(
                        func=ast.Attribute(value=ast.Name(id="log" | "_log"), attr=level),
                        args=[ast.Constant(value=str(event)), *_],
                    ) if level in LEVELS:
                        where = f"{path.relative_to(ROOT)}:{node.lineno}"
                        yield where, event, {each.arg or "**" for each in node.keywords}


def test_ids_of_a_job_are_bound_and_not_named_by_hand() -> None:
    found = list(calls())
    assert len(found) > 100
    assert {event for _, event, _ in found} >= WITHOUT_RECORD
    by_hand = [
        (where, event)
        for where, event, keywords in found
        if keywords & BOUND and event not in WITHOUT_RECORD | ENTRIES
    ]
    assert not by_hand, "enter maie_gateway.records.about, or bind them"
