"""What a command imports before it begins: it is waited for each time."""

from __future__ import annotations

import subprocess
import sys

import pytest

pytestmark = pytest.mark.unit

# What only models, services and a mesh of this machine need.
HEAVY = {"httpx2", "huggingface_hub", "nats", "numpy", "obstore", "psutil", "pydantic", "structlog"}
COMMANDS = ("process", "jobs", "search", "dead-letters", "templates")
IMPORTED = """
import sys
from typer.main import get_command
from maie_cli.app import app
for command in sys.argv[1:]:
    get_command(app).commands[command]
print(*sys.modules, sep="\\n")
"""


def test_a_command_that_talks_to_a_gateway_imports_no_more_than_that() -> None:
    listed = subprocess.run(
        [sys.executable, "-c", IMPORTED, *COMMANDS], capture_output=True, text=True, check=True
    )
    imported = set(listed.stdout.split())
    assert {f"maie_cli.commands.{name.replace('-', '_')}" for name in ("jobs", "dead-letters")} < (
        imported
    )
    assert not imported & HEAVY
