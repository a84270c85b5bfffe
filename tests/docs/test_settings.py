"""A wrong setting stops a part and is named, as docs/settings.md says."""

import os
import subprocess
import sys

import pytest

from tests.waiting import PATIENCE_SECONDS

pytestmark = pytest.mark.unit


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
        timeout=PATIENCE_SECONDS,
    )
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert line.startswith(f"error: {variable}: ")
