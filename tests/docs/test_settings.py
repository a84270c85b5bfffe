"""The page of settings says what the code does."""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.unit

ROOT = Path(__file__).parents[2]


def test_the_page_is_what_the_settings_say():
    path = ROOT / "tools" / "settings_reference.py"
    spec = importlib.util.spec_from_file_location("settings_reference", path)
    tool = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(tool)
    assert tool.TARGET.read_text(encoding="utf-8") == tool.reference()


@pytest.mark.parametrize(
    ("module", "variable", "value"),
    [
        ("maie_asr", "MAIE_ASR_SLOTS", "many"),
        ("maie_asr", "MAIE_ASR_WHISPER_BEAM_SIZE", "0"),
        ("maie_gateway", "MAIE_LOG_LEVEL", "loud"),
    ],
)
def test_a_setting_that_cannot_be_used_stops_the_part_and_is_named(module, variable, value):
    done = subprocess.run(
        [sys.executable, "-m", module],
        env={**os.environ, variable: value},
        capture_output=True,
        text=True,
        timeout=50,
    )
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert line.startswith(f"error: {variable}: ")
