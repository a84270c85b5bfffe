"""What doctor says of a model on an inference server."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

import pytest

from tests.alignment.ctc_model import write_model
from tests.alignment.kserve_server import MODEL, KserveServer, serving
from tests.cli.test_doctor import WRONG
from tests.waiting import PATIENCE_SECONDS

pytestmark = pytest.mark.unit

# What the other parts would load takes its time.
OTHERS = WRONG | {f"MAIE_{part}_SLOTS": "0" for part in ("DIARIZATION", "QUALITY", "SYNTHESIS")}
NOBODY = "127.0.0.1:1"


async def line_of(tmp_path: Path, address: str, model: str, **own: str) -> str:
    """What doctor prints of the engine `triton`."""
    named = {
        "ADDRESS": address,
        "MODEL": model,
        "MODEL_PATH": str(tmp_path / "tones"),
        "TLS": "false",
    }
    variables = {f"MAIE_ALIGNMENT_TRITON_{key}": value for key, value in (named | own).items()}
    clean = {name: text for name, text in os.environ.items() if "MAIE_" not in name}
    doctor = await asyncio.create_subprocess_exec(
        Path(sys.executable).with_name("maie"),
        "doctor",
        "--no-measure",
        "--data",
        tmp_path,
        env=clean | OTHERS | variables | {"MAIE_ALIGNMENT_ENGINE": "triton"},
        stdout=asyncio.subprocess.PIPE,
    )
    async with asyncio.timeout(PATIENCE_SECONDS):
        printed, _ = await doctor.communicate()
    (line,) = [each for each in printed.decode().splitlines() if "  alignment engine: " in each]
    return line


@pytest.fixture
def server(tmp_path: Path) -> KserveServer:
    return KserveServer(folder=write_model(tmp_path / "tones"))


async def test_a_server_that_has_the_model_is_named(server: KserveServer, tmp_path: Path) -> None:
    async with serving(server, None) as address:
        line = await line_of(tmp_path, address, MODEL)
    assert line == f"ok      alignment engine: triton {MODEL} on {address} (own 1.0)"


async def test_a_model_that_the_server_lacks_is_named_with_the_setting(
    server: KserveServer, tmp_path: Path
) -> None:
    async with serving(server, None) as address:
        line = await line_of(tmp_path, address, "other")
    assert line == (
        f"not ok  alignment engine: MODEL_MISSING → The inference server at {address} has no model "
        "'other'; check MAIE_ALIGNMENT_TRITON_MODEL and MAIE_ALIGNMENT_TRITON_MODEL_VERSION."
    )


async def test_a_server_that_is_not_ready_is_named(server: KserveServer, tmp_path: Path) -> None:
    server.server_ready = False
    async with serving(server, None) as address:
        line = await line_of(tmp_path, address, MODEL)
    assert line.startswith("not ok  alignment engine: MODEL_UNAVAILABLE → ")
    assert f"The inference server at {address} is not ready" in line


@pytest.mark.usefixtures("server")
async def test_a_server_that_cannot_be_reached_is_named_with_the_setting(tmp_path: Path) -> None:
    assert await line_of(tmp_path, NOBODY, MODEL) == (
        f"not ok  alignment engine: MODEL_UNAVAILABLE → The inference server at {NOBODY} cannot be "
        "reached; check that it runs, and MAIE_ALIGNMENT_TRITON_ADDRESS."
    )
