"""An audit that could look nothing up is never one that found nothing."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tools.audit import OK, UNKNOWN, VULNERABLE, Audit, audit_python, of_node, of_python, report

pytestmark = pytest.mark.unit

WELL = {"name": "good", "version": "1.0", "vulns": []}
# What pip-audit says of an index that has packages and no database, with "No known
# vulnerabilities found" and exit code 0.
SKIPPED = {"name": "lost", "skip_reason": "Dependency not found on PyPI and could not be audited"}
BAD = {
    "name": "bad",
    "version": "2.0",
    "vulns": [{"id": "PYSEC-2026-1", "fix_versions": ["2.1"], "aliases": [], "description": ""}],
}


def python(*packages: object) -> Audit:
    return of_python(json.dumps({"dependencies": packages, "fixes": []}), "a lock")


@pytest.mark.parametrize(
    ("audit", "status", "words"),
    [
        (python(WELL), OK, "1 looked up, 0 known"),
        (python(WELL, SKIPPED), UNKNOWN, "no database answered about lost"),
        (python(SKIPPED), UNKNOWN, "0 looked up"),
        (python(), UNKNOWN, "0 looked up"),
        (python(WELL, BAD), VULNERABLE, "bad 2.0: PYSEC-2026-1 (mended in 2.1)"),
        (python(BAD, SKIPPED), VULNERABLE, "PYSEC-2026-1"),
        (of_node('{"message": "405 Method Not Allowed"}', "npm"), UNKNOWN, "405 Method"),
        (of_node("", "npm"), UNKNOWN, "no database could be asked"),
        (
            of_node('{"vulnerabilities": {}, "metadata": {"dependencies": {"total": 9}}}', "npm"),
            OK,
            "9 looked up",
        ),
        (
            of_node(
                '{"vulnerabilities": {"bad": {"severity": "high"}}, '
                '"metadata": {"dependencies": {"total": 9}}}',
                "npm",
            ),
            VULNERABLE,
            "bad: high",
        ),
    ],
)
def test_the_status_says_what_is_known(
    audit: Audit, status: int, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert report([audit]) == status
    output = capsys.readouterr().out
    assert words in output
    assert ("no statement about what was not" in output) is (status == UNKNOWN)


def test_the_worst_counts() -> None:
    assert report([python(WELL), python(SKIPPED)]) == UNKNOWN
    assert report([python(WELL), python(SKIPPED), python(BAD)]) == VULNERABLE


def test_a_tool_that_fails_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lock = tmp_path / "some.txt"
    lock.write_text("good==1.0 \\\n    --hash=sha256:00\n")
    failing = tmp_path / "pip-audit"
    failing.write_text("#!/bin/sh\necho 'no route to host' >&2\nexit 1\n")
    failing.chmod(0o700)
    monkeypatch.setattr("tools.audit.PIP_AUDIT", failing)
    audit = audit_python(lock)
    assert audit.status == UNKNOWN
    assert audit.unknown == ("good",)
    assert "no route to host" in audit.problem
