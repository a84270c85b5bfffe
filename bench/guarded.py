"""What it costs a call that it is guarded: the same call with and without, in turn.

One process has a server for each side and a client. Rounds of calls go to the sides in turn, and
each round is compared with that of the bare side next to it, so that what else the machine does
counts for both. A side is one function of SIDES: add one to measure another guard.
"""

from __future__ import annotations

import asyncio
import json
import os
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Annotated, Any

import grpc
import typer
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.trace import NoOpTracer

from bench.others import Others
from bench.report import Figure, JsonOption, Report, note
from maie.access.v1 import access_pb2 as access
from maie.job.v1 import job_pb2 as job
from maie_core.limits import MAX_GATEWAY_REQUEST_BYTES
from maie_core.recent_count import RecentCount
from maie_core.tracing import open_tracing
from maie_gateway.access.guard import Guard
from maie_gateway.access.settings import AccessSettings
from maie_gateway.access.token_settings import TokenSettings
from maie_gateway.audit.call_audit import CallAudit
from maie_gateway.audit.calls import Audited
from maie_gateway.audit.log import AuditLog
from maie_gateway.server import SERVICES
from maie_runtime.bus.provision import open_provisioned_broker
from maie_runtime.rpc.auditing import AuditInterceptor
from maie_runtime.rpc.callers.interceptor import CallerInterceptor
from maie_runtime.rpc.errors import ErrorInterceptor
from maie_runtime.rpc.messages import MessageInterceptor, Patience, StreamInterceptor
from maie_runtime.rpc.metrics import MetricsInterceptor
from maie_runtime.rpc.tracing import TracingInterceptor
from tests.collector import collecting, tracing_variables
from tests.conftest import NatsServer, free_port
from tests.gateway.access.issuer import AUDIENCE, ISSUER, Issuer

SERVICE, METHOD = "maie.job.v1.JobService", "GetJob"
PROMISED_MS = 0.2
BARE = "bare"
AUDITED = "the audit log, an entry for each call"
WARM_UP_CALLS = 200

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@dataclass(kw_only=True, frozen=True)
class Side:
    """A server, and how it is called.

    Attributes:
        interceptors: What guards its calls, the outermost first.
        metadata: What a call carries, now.
        bound: Called with the server's HOST:PORT.
    """

    interceptors: Sequence[grpc.aio.ServerInterceptor] = ()
    metadata: Callable[[], tuple[tuple[str, str], ...]] = tuple
    bound: Callable[[str], None] = lambda _: None


@dataclass(kw_only=True, frozen=True, slots=True)
class Round:
    """What a call of a round took, in seconds.

    Attributes:
        seconds: By the clock, the median.
        processor: Of a processor, client and server together, the mean.
    """

    seconds: float
    processor: float


@dataclass(kw_only=True, frozen=True, slots=True)
class Pair:
    """Two rounds next to each other."""

    bare: Round
    guarded: Round


Open = Callable[[AsyncExitStack, Path], Awaitable[Side]]


async def _bare(stack: AsyncExitStack, folder: Path) -> Side:
    return Side()


async def _local_user(stack: AsyncExitStack, folder: Path) -> Side:
    guard = Guard(AccessSettings(), "127.0.0.1:0", proxied=False)
    return _called_by(guard, "")


async def _api_key(stack: AsyncExitStack, folder: Path) -> Side:
    server = NatsServer(port=free_port(), store=folder / "jetstream")
    await server.start()
    stack.push_async_callback(server.stop)
    broker = await stack.enter_async_context(open_provisioned_broker(server.url, "bench"))
    guard = Guard(AccessSettings(), "127.0.0.1:0", proxied=False)
    store = await stack.enter_async_context(guard.running(broker))
    shown = access.ApiKey(tenant="acme", scopes=[access.SCOPE_READ])
    _, text = await store.create(shown, None)
    return _called_by(guard, text.text)


def _token(algorithm: str, kind: str) -> Open:
    async def opened(stack: AsyncExitStack, folder: Path) -> Side:
        issuer = Issuer()
        issuer.add("one", kind)
        keys = folder / f"{algorithm}.json"
        keys.write_text(json.dumps(issuer.jwks()))
        tokens = TokenSettings(issuer=ISSUER, audience=AUDIENCE, jwks_file=keys)
        guard = Guard(AccessSettings(tokens=tokens), "127.0.0.1:0", proxied=False)
        return _called_by(guard, issuer.token(algorithm=algorithm))

    return opened


def _called_by(guard: Guard, credential: str) -> Side:
    callers = CallerInterceptor(guard.authenticators)

    def bound(address: str) -> None:
        callers.server = address

    shown = (("authorization", f"Bearer {credential}"),) if credential else ()
    return Side(interceptors=(callers,), metadata=lambda: shown, bound=bound)


async def _audited(stack: AsyncExitStack, folder: Path) -> Side:
    """The method as if it changed something: an entry for each call, stored before its answer."""
    server = NatsServer(port=free_port(), store=folder / "audit")
    await server.start()
    stack.push_async_callback(server.stop)
    broker = await stack.enter_async_context(open_provisioned_broker(server.url, "bench"))
    audit = AuditLog("bench")
    await stack.enter_async_context(audit.running(broker))
    auditor = CallAudit(audit, SERVICES, {SERVICE: {METHOD: Audited.CHANGE}})
    return Side(interceptors=(AuditInterceptor(auditor),))


async def _untraced(stack: AsyncExitStack, folder: Path) -> Side:
    return Side(interceptors=(TracingInterceptor(NoOpTracer()),))


async def _traced(stack: AsyncExitStack, folder: Path) -> Side:
    collector = await stack.enter_async_context(collecting())
    collector.keeps = False
    os.environ |= tracing_variables(collector)
    opened = open_tracing(service="bench", instance="bench", version="0")
    provider = await stack.enter_async_context(opened)
    carried = (("traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"),)
    tracing = TracingInterceptor(provider.get_tracer("bench"))
    return Side(interceptors=(tracing,), metadata=lambda: carried)


async def _metrics(stack: AsyncExitStack, folder: Path) -> Side:
    provider = MeterProvider([InMemoryMetricReader()], shutdown_on_exit=False)
    stack.callback(provider.shutdown)
    return Side(interceptors=(MetricsInterceptor(provider.get_meter("bench")),))


SIDES: dict[str, Open] = {
    BARE: _bare,
    "traces, off": _untraced,
    "traces, each call recorded and sent": _traced,
    "the local user, by the kernel": _local_user,
    "an API key": _api_key,
    "a token signed with RS256": _token("RS256", "RSA"),
    "a token signed with ES256": _token("ES256", "EC"),
    "metrics": _metrics,
    AUDITED: _audited,
}


@app.command()
def main(
    calls: Annotated[int, typer.Option(help="How many calls a round has.")] = 500,
    rounds: Annotated[int, typer.Option(help="How many rounds each side has.")] = 20,
    as_json: JsonOption = False,
) -> None:
    """Prints what each guard adds to a unary call."""
    asyncio.run(_measure(calls, rounds)).print(as_json)


async def _measure(calls: int, rounds: int) -> Report:
    others = Others()
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        sides = {}
        for name, opened in SIDES.items():
            side = await opened(stack, folder)
            sides[name] = await stack.enter_async_context(_serving(side))
            await _round(sides[name], WARM_UP_CALLS)
        taken: dict[str, list[Pair]] = {name: [] for name in SIDES if name != BARE}
        for number in range(rounds):
            for name, pairs in taken.items():
                # Whichever goes first may find the machine busier: they take turns at that too.
                order = (BARE, name) if number % 2 else (name, BARE)
                found = {each: await _round(sides[each], calls) for each in order}
                pairs.append(Pair(bare=found[BARE], guarded=found[name]))
            note(f"round {number + 1} of {rounds}")
    bare = [pair.bare.seconds for pairs in taken.values() for pair in pairs]
    return Report(
        bench="guarded",
        measured="A unary call that does nothing, with and without a guard, in turn.",
        settings={"calls": calls, "rounds": rounds},
        figures=[
            Figure(name="a call without any guard, median", value=1000 * median(bare), unit="ms"),
            *(figure for name, pairs in taken.items() for figure in _figures(name, pairs)),
            Figure(name="CPU that others took meanwhile", value=100 * others.share(), unit="%"),
        ],
    )


def _figures(name: str, pairs: Sequence[Pair]) -> list[Figure]:
    clock = median(pair.guarded.seconds - pair.bare.seconds for pair in pairs)
    processor = median(pair.guarded.processor - pair.bare.processor for pair in pairs)
    best = min(pair.guarded.seconds for pair in pairs) - min(pair.bare.seconds for pair in pairs)
    return [
        Figure(
            name=f"{name} adds",
            value=1000 * clock,
            unit="ms",
            # An entry is stored on a disk before the answer; the others store nothing.
            at_most=None if name == AUDITED else PROMISED_MS,
        ),
        Figure(name=f"{name}: best rounds", value=1000 * best, unit="ms"),
        Figure(name=f"{name}: processor time", value=1000 * processor, unit="ms"),
    ]


@asynccontextmanager
async def _serving(side: Side) -> AsyncIterator[Callable[[], Awaitable[Any]]]:
    """Serves a side; gives what makes one call."""
    server = grpc.aio.server(
        interceptors=(
            StreamInterceptor(),
            ErrorInterceptor(RecentCount()),
            *side.interceptors,
            MessageInterceptor(MAX_GATEWAY_REQUEST_BYTES, Patience()),
        )
    )
    handler = grpc.unary_unary_rpc_method_handler(
        _answer, job.GetJobRequest.FromString, job.GetJobResponse.SerializeToString
    )
    server.add_registered_method_handlers(SERVICE, {METHOD: handler})
    address = f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
    side.bound(address)
    await server.start()
    async with grpc.aio.insecure_channel(address) as channel:
        method: Any = channel.unary_unary(
            f"/{SERVICE}/{METHOD}",
            job.GetJobRequest.SerializeToString,
            job.GetJobResponse.FromString,
        )
        request = job.GetJobRequest()
        yield lambda: method(request, metadata=side.metadata())
    await server.stop(0)


async def _answer(request: job.GetJobRequest, context: Any) -> job.GetJobResponse:
    return job.GetJobResponse()


async def _round(call: Callable[[], Awaitable[Any]], calls: int) -> Round:
    """Makes so many calls, one after another."""
    taken = []
    processor = time.process_time()
    for _ in range(calls):
        started = time.perf_counter()
        await call()
        taken.append(time.perf_counter() - started)
    return Round(seconds=median(taken), processor=(time.process_time() - processor) / calls)


if __name__ == "__main__":
    app()
