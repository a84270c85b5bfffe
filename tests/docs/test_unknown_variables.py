"""A variable that looks like a setting and is none is named at the start."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import free_port
from tests.waiting import PATIENCE_SECONDS

pytestmark = pytest.mark.unit

PAGE = Path(__file__).parents[2] / "docs" / "settings.md"
DOCUMENTED = re.findall(r"^\| `(MAIE_\w+)` \|", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
MODULES = (
    "alignment",
    "asr",
    "diarization",
    "enhancement",
    "gateway",
    "preprocess",
    "quality",
    "summary",
    "synthesis",
)
OF_NO_PART = ("MAIE_ACK_WAIT", "MAIE_NATS_ULR", "maie_nats_url")
FROM_KUBERNETES = (
    "MAIE_GATEWAY_PORT",
    "MAIE_GATEWAY_PORT_50051_TCP",
    "MAIE_GATEWAY_PORT_50051_TCP_ADDR",
    "MAIE_NATS_SERVICE_HOST",
    "MAIE_NATS_SERVICE_PORT_CLIENT",
)
UNKNOWN = """
import json, sys
import maie_{module}.settings
from maie_core.unknown_variables import unknown_variables
names = json.load(sys.stdin)
print(json.dumps(unknown_variables({parts!r}, dict.fromkeys(names, ""))))
"""


def unknown_to(module: str, *names: str) -> list[str]:
    """Those of the variables that a part would warn of."""
    done = subprocess.run(
        [sys.executable, "-c", UNKNOWN.format(module=module, parts=MODULES)],
        input=json.dumps(names),
        capture_output=True,
        text=True,
        check=True,
    )
    return list(json.loads(done.stdout))


@pytest.mark.parametrize("module", MODULES)
def test_no_part_warns_of_a_setting_of_any_part(module: str) -> None:
    assert "MAIE_ASR_SLOTS" in DOCUMENTED
    others = ("MAIE_GATEWAY", "MAIE_TENANT", *FROM_KUBERNETES)
    assert unknown_to(module, *DOCUMENTED, *others) == []


@pytest.mark.parametrize("module", MODULES)
def test_each_part_warns_of_its_own_variables_and_of_those_that_are_no_parts(module: str) -> None:
    old = {part: f"MAIE_{part.upper()}_ACK_WAIT_SECONDS" for part in MODULES}
    found = unknown_to(module, *old.values(), *OF_NO_PART)
    assert found == sorted((old[module], "MAIE_ACK_WAIT", "MAIE_NATS_ULR"))


def test_the_rooms_of_the_gateway_are_its_own() -> None:
    names = ("MAIE_RETENTION_DAYS", "MAIE_TEMPLATES_FOLDER", "MAIE_WEBHOOKS_URL")
    assert unknown_to("gateway", *names) == list(names)
    assert unknown_to("summary", *names) == ["MAIE_TEMPLATES_FOLDER"]
    assert unknown_to("asr", *names) == []


@pytest.mark.parametrize("module", ["gateway", "asr"])
def test_a_part_names_unknown_variables_once_and_starts(module: str) -> None:
    variable = f"MAIE_{module.upper()}_ACK_WAIT_SECONDS"
    process = subprocess.Popen(
        [sys.executable, "-m", f"maie_{module}"],
        env={
            **os.environ,
            variable: "15",
            "MAIE_NATS_URL": f"nats://127.0.0.1:{free_port()}",
            "MAIE_ASR_ENGINE": "pocketsphinx",
            # Its own port may be another mesh's.
            f"MAIE_{module.upper()}_LISTEN": "127.0.0.1:0",
        },
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stderr is not None
        lines = [json.loads(process.stderr.readline()) for _ in range(2)]
    finally:
        process.terminate()
        process.communicate(timeout=PATIENCE_SECONDS)
    (warning,) = [line for line in lines if line["event"] == "settings.unknown_variables"]
    assert (warning["level"], warning["variables"]) == ("warning", [variable])
