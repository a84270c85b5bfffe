"""Every call has one caller with a scope for it, or is refused before its handler runs."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Any

import grpc
import pytest
from google.protobuf import descriptor_pool
from google.rpc import error_details_pb2
from grpc_status import rpc_status

from maie_core.caller import OF_SHARES, Caller, CallerKind, Scope, current_caller
from maie_core.errors import Code, StageError
from maie_core.reasons import Reason
from maie_gateway.server import SERVICES
from maie_pipeline.bindings import BINDINGS
from maie_runtime.rpc.callers import scopes
from maie_runtime.rpc.callers.authenticator import AUTHORIZATION, Call
from maie_runtime.rpc.callers.doors import doors
from maie_runtime.rpc.server import GrpcServer
from tests.runtime.callers.asking import (
    CONVERSE,
    FOLLOW,
    READ,
    SERVICE,
    SUBMIT,
    UPLOAD,
    asking,
    channel_to,
)


class Passwords:
    """Knows callers by a word: of the tenant acme, with the scope that the word says."""

    remedy = "Say the word."

    async def caller_of(self, call: Call) -> Caller | None:
        for word in call.metadata.get(AUTHORIZATION, ()):
            if word not in [scope.value for scope in Scope]:
                raise StageError(Code.UNAUTHENTICATED, Reason.CREDENTIALS_INVALID, "What?")
            return Caller(
                id="key:1",
                tenant="acme",
                scopes=frozenset({Scope(word)}),
                kind=CallerKind.KEY,
            )
        return None


async def refused(call: Any) -> tuple[str, str]:
    """The status and the reason of a call that fails."""
    with pytest.raises(grpc.aio.AioRpcError) as error:
        async for _ in _answers(call):
            pass
    status: Any = rpc_status.from_call(error.value)  # type: ignore[arg-type]
    info = error_details_pb2.ErrorInfo()
    status.details[0].Unpack(info)
    return error.value.code().name, info.reason


async def _answers(call: Any) -> AsyncIterator[bytes]:
    if hasattr(call, "__aiter__"):
        async for answer in call:
            yield answer
    else:
        yield await call


async def one() -> AsyncIterator[bytes]:
    yield b""


async def none_yet() -> AsyncIterator[bytes]:
    """What a client sends that waits for an answer first.

    One that is refused while it writes may see INTERNAL in place of the status (grpc/grpc#36066).
    """
    await asyncio.Event().wait()
    yield b""


def calls(
    channel: Any, metadata: tuple[tuple[str, str], ...], answered: Sequence[str] = ()
) -> dict[str, Any]:
    """A call of each kind of RPC; `answered` are those that are not refused."""
    upload, converse = (one() if path in answered else none_yet() for path in (UPLOAD, CONVERSE))
    return {
        READ: channel.unary_unary(READ)(b"", metadata=metadata),
        FOLLOW: channel.unary_stream(FOLLOW)(b"", metadata=metadata),
        UPLOAD: channel.stream_unary(UPLOAD)(upload, metadata=metadata),
        CONVERSE: channel.stream_stream(CONVERSE)(converse, metadata=metadata),
    }


async def test_calls_of_every_kind_know_their_caller() -> None:
    async with (
        asking(authenticators=(Passwords(),)) as address,
        channel_to(address) as channel,
    ):
        for word, paths in (("read", (READ, FOLLOW)), ("submit", (UPLOAD, CONVERSE))):
            made = calls(channel, ((AUTHORIZATION, word),), paths)
            for path, call in made.items():
                if path in paths:
                    answers = [answer async for answer in _answers(call)]
                    assert set(answers) == {f"key key:1 acme {word}".encode()}
                else:
                    assert await refused(call) == ("PERMISSION_DENIED", "SCOPE_MISSING")


@pytest.mark.parametrize(
    ("metadata", "expected"),
    [
        ((), ("UNAUTHENTICATED", "CREDENTIALS_MISSING")),
        (((AUTHORIZATION, "what"),), ("UNAUTHENTICATED", "CREDENTIALS_INVALID")),
        ((("maie-tenant", "acme"),), ("UNAUTHENTICATED", "CREDENTIALS_MISSING")),
    ],
)
async def test_calls_of_every_kind_without_a_caller_are_refused(
    metadata: tuple[tuple[str, str], ...], expected: tuple[str, str]
) -> None:
    async with (
        asking(authenticators=(Passwords(),)) as address,
        channel_to(address) as channel,
    ):
        for call in calls(channel, metadata).values():
            assert await refused(call) == expected


async def test_who_calls_is_asked_before_the_request_comes() -> None:
    async with (
        asking(authenticators=(Passwords(),)) as address,
        channel_to(address) as channel,
    ):
        for path in (READ, FOLLOW):
            call = channel.stream_stream(path)(none_yet())
            assert await refused(call) == ("UNAUTHENTICATED", "CREDENTIALS_MISSING")


@pytest.mark.parametrize(
    ("tenants", "expected"),
    [
        (("acme",), None),
        (("other",), ("PERMISSION_DENIED", "TENANT_NOT_ALLOWED")),
        (("acme", "other"), ("INVALID_ARGUMENT", "TENANT_INVALID")),
        (("A",), ("INVALID_ARGUMENT", "TENANT_INVALID")),
        (("",), ("INVALID_ARGUMENT", "TENANT_INVALID")),
    ],
)
async def test_credentials_are_of_one_tenant(
    tenants: tuple[str, ...], expected: tuple[str, str] | None
) -> None:
    named = tuple(("maie-tenant", tenant) for tenant in tenants)
    async with (
        asking(authenticators=(Passwords(),)) as address,
        channel_to(address) as channel,
    ):
        call = channel.unary_unary(READ)(b"", metadata=((AUTHORIZATION, "read"), *named))
        if expected:
            assert await refused(call) == expected
        else:
            assert await call == b"key key:1 acme read"


async def test_calls_at_the_same_time_have_a_caller_each() -> None:
    async with (
        asking(authenticators=(Passwords(),)) as address,
        channel_to(address) as channel,
    ):
        answers = await asyncio.gather(
            *(
                channel.unary_unary(path)(b"", metadata=((AUTHORIZATION, word),))
                for path, word in ((READ, "read"), (SUBMIT, "submit")) * 20
            )
        )
        assert answers == [b"key key:1 acme read", b"key key:1 acme submit"] * 20
    with pytest.raises(LookupError):
        current_caller()


async def test_an_rpc_of_which_nobody_said_who_may_call_it_is_refused() -> None:
    async with asking() as address, channel_to(address) as channel:
        call = channel.unary_unary(f"/{SERVICE}/Undeclared")(b"")
        assert await refused(call) == ("INTERNAL", "INTERNAL")


@pytest.mark.unit
def test_every_rpc_of_every_service_has_a_scope() -> None:
    pool, table = descriptor_pool.Default(), scopes.needs()
    stages = [service for binding in BINDINGS.values() for service in binding.services]
    services = (*SERVICES, *stages, "grpc.health.v1.Health", *_reflection())
    described = {
        scopes.path_of(service, method.name)
        for service in services
        for method in pool.FindServiceByName(service).methods
    }
    assert described == set(table)
    open_to_anybody = {path for path, need in table.items() if need is scopes.ANYBODY}
    assert all(path.startswith("/grpc.health.v1.Health/") for path in open_to_anybody)
    assert all(need and need <= set(Scope) for need in table.values() if need is not None)


@pytest.mark.unit
def test_a_share_gives_one_job_and_its_audio_and_nothing_else() -> None:
    allowed = {
        path: need & OF_SHARES for path, need in scopes.needs().items() if need and need & OF_SHARES
    }
    assert allowed == {
        "/maie.job.v1.JobService/GetJob": {Scope.SHARED},
        "/maie.job.v1.JobService/GetAudio": {Scope.SHARED_AUDIO},
        "/maie.job.v1.JobService/GetWaveform": {Scope.SHARED_AUDIO},
    }


def _reflection() -> tuple[str, ...]:
    from maie_runtime.rpc.reflection import V1_SERVICE, V1ALPHA_SERVICE, describe_v1

    describe_v1()
    return V1_SERVICE, V1ALPHA_SERVICE


async def test_a_server_with_an_rpc_without_a_scope_does_not_start(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    known = {path: need for path, need in scopes.needs().items() if path != READ}
    monkeypatch.setattr(scopes, "needs", lambda: known)
    with pytest.raises(RuntimeError, match=r"^/maie.job.v1.JobService/GetJob has no scope"):
        GrpcServer("127.0.0.1:0", (SERVICE,))


@pytest.mark.unit
def test_a_server_that_nobody_could_call_does_not_start() -> None:
    assert len(doors("127.0.0.1:0")) == 1
    assert doors("0.0.0.0:50051", (Passwords(),))[0].remedy == "Say the word."
    for listen, local_user in (("0.0.0.0:50051", True), ("127.0.0.1:50051", False)):
        with pytest.raises(RuntimeError, match="Nobody could call"):
            doors(listen, local_user=local_user)
