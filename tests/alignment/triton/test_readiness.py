"""The engine `triton` is ready while its server is."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack
from typing import Any

import grpc
import pytest

from maie_alignment.engines.triton.engine import create
from maie_alignment.stage import AlignStage
from tests.alignment.engine_cases import as_tones
from tests.alignment.kserve_server import KserveServer, serving, tls_of
from tests.alignment.triton.opening import (
    NO_RETRIES,
    WORDS,
    failure,
    opened,
    settings,
    wait_not,
)
from tests.alignment.triton.test_models import rename_output
from tests.certificates import TestCa

pytestmark = pytest.mark.unit


async def test_readiness_follows_the_server(server: KserveServer, ca: TestCa) -> None:
    async with opened(server, ca, probe_seconds=0.02) as engine:
        changes = engine.readiness()  # type: ignore[attr-defined] # not of all engines
        server.model_ready = False
        assert not await anext(changes)
        server.model_ready = True
        assert await anext(changes)
        server.describe = rename_output
        assert not await anext(changes)
        server.describe = lambda _: None
        assert await anext(changes)
        server.server_ready = False
        assert not await anext(changes)
        await changes.aclose()


async def test_readiness_follows_a_server_that_goes_and_comes(
    server: KserveServer, ca: TestCa
) -> None:
    there = AsyncExitStack()
    address = await there.enter_async_context(serving(server, tls_of(ca)))
    own = settings(address, server.folder, ca, probe_seconds=0.02)
    async with create(own) as engine:
        changes = engine.readiness()
        await there.aclose()
        assert not await anext(changes)
        async with serving(server, tls_of(ca), address):
            assert await anext(changes)
        await changes.aclose()


async def test_a_server_that_is_ready_again_is_called_at_once(
    server: KserveServer, ca: TestCa
) -> None:
    async def refuse(context: Any) -> None:
        await context.abort(grpc.StatusCode.UNAVAILABLE, "")

    server.before = refuse
    own: dict[str, Any] = {"breaker_failures": 1, "breaker_pause_seconds": 600.0, **NO_RETRIES}
    async with opened(server, ca, probe_seconds=0.02, **own) as engine:
        changes = engine.readiness()  # type: ignore[attr-defined] # not of all engines
        await failure(engine)
        assert "failed again and again" in (await failure(engine)).message
        server.model_ready = False
        assert not await anext(changes)
        server.model_ready, server.before = True, wait_not
        assert await anext(changes)
        assert len(await engine.align(*as_tones())) == len(WORDS)
        await changes.aclose()


async def test_the_stage_follows_its_engine(server: KserveServer, ca: TestCa) -> None:
    async with opened(server, ca, probe_seconds=0.02) as engine:
        with ThreadPoolExecutor(1) as executor:
            changes = AlignStage(engine, executor).readiness()
            server.model_ready = False
            assert not await anext(changes)
            await changes.aclose()
