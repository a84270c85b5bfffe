"""Engines that are opened on a server, and why they are not."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from maie_alignment.engine import Engine
from maie_alignment.engines.triton.engine import create
from maie_alignment.settings import AlignmentSettings, TritonSettings
from maie_core.errors import StageError
from tests.alignment.engine_cases import as_tones
from tests.alignment.kserve_server import MODEL, KserveServer, serving, tls_of
from tests.certificates import TestCa

NO_RETRIES: dict[str, Any] = {"retry_seconds": 0.0}
# Any number of tries, quickly.
TRIES: dict[str, Any] = {"retry_seconds": 60.0, "breaker_failures": 1000}
SECRET = "s3cr3t-token"
WORDS = as_tones()[1]


def settings(address: str, folder: Path, ca: TestCa | None, **own: Any) -> AlignmentSettings:
    named = {"address": address, "model": MODEL, "model_path": folder}
    trusted = {"ca_file": ca.ca_file} if ca else {}
    return AlignmentSettings(slots=2, triton=TritonSettings(**{**named, **trusted, **own}))


@asynccontextmanager
async def opened(server: KserveServer, ca: TestCa, **own: Any) -> AsyncIterator[Engine]:
    """An engine on a server."""
    async with (
        serving(server, tls_of(ca)) as address,
        create(settings(address, server.folder, ca, **own)) as engine,
    ):
        yield engine


async def refusal(server: KserveServer, ca: TestCa, **own: Any) -> StageError:
    """Why an engine does not start."""
    with pytest.raises(StageError) as refused:
        async with opened(server, ca, **own):
            pass
    return refused.value


async def failure(engine: Engine) -> StageError:
    """Why audio could not be aligned."""
    with pytest.raises(StageError) as failed:
        await engine.align(*as_tones())
    return failed.value


async def wait_not(_: Any) -> None:
    """Does not wait."""
