"""What fails at the server of the engine `triton`, and what passes."""

from __future__ import annotations

import asyncio
import signal
import sys
from contextlib import AsyncExitStack
from typing import Any

import grpc
import pytest
from structlog.testing import capture_logs

from maie_alignment.engines.triton.engine import create
from maie_core.reasons import Reason
from tests.alignment.engine_cases import as_tones
from tests.alignment.kserve_server import KserveServer, serving, tls_of
from tests.alignment.triton.opening import (
    NO_RETRIES,
    SECRET,
    TRIES,
    WORDS,
    failure,
    opened,
    settings,
)
from tests.certificates import TestCa, replace
from tests.waiting import until

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("status", "code", "reason"),
    [
        (grpc.StatusCode.UNAUTHENTICATED, "FAILED_PRECONDITION", "MODEL_ACCESS_DENIED"),
        (grpc.StatusCode.PERMISSION_DENIED, "FAILED_PRECONDITION", "MODEL_ACCESS_DENIED"),
        (grpc.StatusCode.NOT_FOUND, "FAILED_PRECONDITION", "MODEL_MISSING"),
        (grpc.StatusCode.UNIMPLEMENTED, "FAILED_PRECONDITION", "MODEL_REQUEST_REFUSED"),
        (grpc.StatusCode.INVALID_ARGUMENT, "FAILED_PRECONDITION", "MODEL_REQUEST_REFUSED"),
        (grpc.StatusCode.UNAVAILABLE, "UNAVAILABLE", "MODEL_UNAVAILABLE"),
        (grpc.StatusCode.RESOURCE_EXHAUSTED, "UNAVAILABLE", "MODEL_UNAVAILABLE"),
        (grpc.StatusCode.INTERNAL, "UNAVAILABLE", "MODEL_UNAVAILABLE"),
        (grpc.StatusCode.UNKNOWN, "UNAVAILABLE", "MODEL_UNAVAILABLE"),
        (grpc.StatusCode.CANCELLED, "UNAVAILABLE", "MODEL_UNAVAILABLE"),
    ],
)
async def test_a_status_of_the_server_is_one_sentence_without_its_text(
    server: KserveServer, ca: TestCa, status: grpc.StatusCode, code: str, reason: str
) -> None:
    async def refuse(context: Any) -> None:
        await context.abort(status, SECRET)

    server.before = refuse
    with capture_logs() as logged:
        async with opened(server, ca, **NO_RETRIES) as engine:
            error = await failure(engine)
    assert (error.code.name, error.reason) == (code, reason)
    assert SECRET not in error.message + repr(logged)
    assert all(word not in repr(logged) for word in WORDS if len(word) > 3)


async def test_triton_says_in_its_own_way_that_a_token_is_missing(
    server: KserveServer, ca: TestCa
) -> None:
    async def refuse(context: Any) -> None:
        text = "This protocol is restricted, expecting header 'triton-grpc-protocol-key'"
        await context.abort(grpc.StatusCode.UNAVAILABLE, text)

    server.before = refuse
    async with opened(server, ca, **TRIES) as engine:
        error = await failure(engine)
    assert error.reason == Reason.MODEL_ACCESS_DENIED
    assert server.calls["ModelInfer"] == 1


async def test_what_passes_is_tried_again(server: KserveServer, ca: TestCa) -> None:
    async def fail_twice(context: Any) -> None:
        if server.calls["ModelInfer"] <= 2:
            await context.abort(grpc.StatusCode.UNAVAILABLE, "")

    server.before = fail_twice
    async with opened(server, ca, **TRIES) as engine:
        assert len(await engine.align(*as_tones())) == len(WORDS)
    assert server.calls["ModelInfer"] == 3


async def test_a_slow_answer_is_not_waited_for(server: KserveServer, ca: TestCa) -> None:
    async def hang(_: Any) -> None:
        await asyncio.Event().wait()

    server.before = hang
    async with opened(server, ca, call_seconds=0.3, **NO_RETRIES) as engine:
        error = await failure(engine)
        await until(lambda: server.cancelled)
    assert (error.code.name, error.reason) == ("UNAVAILABLE", "MODEL_UNAVAILABLE")
    assert "did not answer within 0.3 s" in error.message


async def test_the_breaker_opens_after_failures_in_a_row(server: KserveServer, ca: TestCa) -> None:
    async def refuse(context: Any) -> None:
        await context.abort(grpc.StatusCode.INTERNAL, "")

    server.before = refuse
    async with opened(server, ca, breaker_failures=2, **NO_RETRIES) as engine:
        for _ in range(2):
            await failure(engine)
        error = await failure(engine)
    assert "failed again and again" in error.message
    assert error.retry_after is not None
    assert server.calls["ModelInfer"] == 2


async def test_a_server_that_is_killed_is_left_and_found_again(
    server: KserveServer, ca: TestCa
) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "tests.alignment.kserve_server", str(server.folder), str(ca.folder)),
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    try:
        address = (await process.stdout.readline()).decode().strip()
        async with create(settings(address, server.folder, ca, **TRIES)) as engine:
            call = asyncio.create_task(engine.align(*as_tones()))
            assert await process.stdout.readline() == b"infer\n"
            process.send_signal(signal.SIGKILL)
            await process.wait()
            # The CA is that of the process.
            issued = ca.folder / "ca.crt"
            renewed = TestCa(folder=ca.folder / "renewed")
            replace(issued, renewed.ca_file.read_bytes())
            async with serving(server, tls_of(renewed), address):
                assert len(await call) == len(WORDS)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def test_a_server_that_is_killed_mid_way_is_one_sentence(
    server: KserveServer, ca: TestCa
) -> None:
    async def hang(_: Any) -> None:
        await asyncio.Event().wait()

    server.before = hang
    async with AsyncExitStack() as stack:
        there = AsyncExitStack()
        address = await there.enter_async_context(serving(server, tls_of(ca)))
        engine = await stack.enter_async_context(
            create(settings(address, server.folder, ca, **NO_RETRIES))
        )
        call = asyncio.create_task(failure(engine))
        await until(lambda: server.running)
        await there.aclose()
        error = await call
    assert (error.code.name, error.reason) == ("UNAVAILABLE", "MODEL_UNAVAILABLE")
