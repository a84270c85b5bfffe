"""Logs are structured and hold nothing of what was said."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.unit

LOGS_AN_ERROR = """
import logging, structlog
from maie_core.settings import MeshSettings
from maie_core.telemetry import configure_logging
configure_logging(MeshSettings(log_format={format!r}), "asr")
def work(text):
    raise ValueError("broken")
try:
    work("what somebody said")
except ValueError:
    structlog.get_logger().exception("unit.failed", job="j1")
logging.getLogger("library").warning("from a library")
"""


@pytest.mark.parametrize("log_format", ["json", "console"])
def test_a_traceback_shows_no_local_variables(log_format: str) -> None:
    code = LOGS_AN_ERROR.replace("{format!r}", repr(log_format))
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "what somebody said" not in done.stderr.replace('work("what somebody said")', "")
    assert "ValueError" in done.stderr
    assert done.stdout == ""


def test_json_lines_carry_service_and_ids_whoever_logs() -> None:
    code = LOGS_AN_ERROR.replace("{format!r}", repr("json"))
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    ours, library = (json.loads(line) for line in done.stderr.splitlines())
    assert (ours["event"], ours["job"], ours["service"]) == ("unit.failed", "j1", "asr")
    assert (library["event"], library["service"]) == ("from a library", "asr")


def test_no_work_fails_for_want_of_space_for_its_log() -> None:
    code = LOGS_AN_ERROR.replace("{format!r}", repr("json")) + "print('the work went on')"
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [sys.executable, "-c", code],
            stdout=subprocess.PIPE,
            stderr=full,
            text=True,
            check=False,
        )
    assert (done.stdout, done.returncode) == ("the work went on\n", 0)
