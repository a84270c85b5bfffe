"""A service whose model's server cannot serve ends at its start and says why."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

import pytest

from maie_runtime.bus.broker import Broker
from tests.conftest import NatsServer
from tests.llm.openai_server import KEY, MODEL, OpenAIServer, refuse
from tests.waiting import PATIENCE_SECONDS

pytestmark = pytest.mark.mesh


@pytest.mark.parametrize("service", ["enhancement", "summary"])
async def test_a_wrong_key_ends_the_service_with_one_clear_sentence(
    service: str, nats_server: NatsServer, broker: Broker, tmp_path: Path
) -> None:
    """The broker is provisioned, as a gateway leaves it: services wait for that."""
    server = OpenAIServer()
    server.models = refuse(401, f"Incorrect API key provided: {KEY}")
    prefix = f"MAIE_{service.upper()}"
    async with server.running():
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", f"maie_{service}"),
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
            env={
                **os.environ,
                "MAIE_NATS_URL": nats_server.url,
                "MAIE_BLOB_URL": (tmp_path / "blobs").as_uri(),
                f"{prefix}_LISTEN": "127.0.0.1:0",
                f"{prefix}_ENGINE": "openai",
                f"{prefix}_OPENAI_BASE_URL": server.url,
                f"{prefix}_OPENAI_API_KEY": KEY,
                f"{prefix}_OPENAI_MODEL": MODEL,
            },
        )
        async with asyncio.timeout(PATIENCE_SECONDS):
            _, written = await process.communicate()
    errors = written.decode()
    assert process.returncode not in (0, None)
    assert errors.count("refuses access with HTTP status 401; check the service's API key") == 1
    assert "Traceback" not in errors
    assert KEY not in errors
