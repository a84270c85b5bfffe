"""The web part from start to drain."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from importlib.metadata import version

import structlog
import uvicorn

from maie_client import Client, Tls
from maie_core.metrics import open_metrics
from maie_core.tracing import open_tracing
from maie_runtime.background import background_tasks
from maie_runtime.bus.presence import instance_name
from maie_runtime.health_file import HealthFile
from maie_runtime.rpc.callers.local_user import is_loopback
from maie_runtime.rpc.callers.proxies import TrustedProxies
from maie_runtime.rpc.exposure import check_exposure
from maie_web.app import make_app
from maie_web.callers import Callers
from maie_web.event_streams import EventStreams
from maie_web.listening import listen
from maie_web.live.connection import MAX_MESSAGE_BYTES, WebSocketConnection
from maie_web.live.sockets import OpenSockets
from maie_web.oidc.logins import Logins, open_logins
from maie_web.origins import Origins
from maie_web.sessions.cookies import SessionCookies
from maie_web.sessions.seal import Seal
from maie_web.settings import WebSettings
from maie_web.tls import open_tls
from maie_web.tracing import TracedApp

log = structlog.get_logger()

WEB = "web"
REMEDY = (
    "name a certificate in MAIE_WEB_TLS_CERT_FILE and MAIE_WEB_TLS_KEY_FILE, set "
    "MAIE_WEB_PLAINTEXT=behind-a-proxy where a proxy takes TLS"
)


class _Server(uvicorn.Server):
    """A server that leaves signals to the process, and says when it serves."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begins to serve."""
        await super().startup(sockets)
        self.ready.set()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Does nothing."""
        yield


async def run_web(settings: WebSettings) -> None:
    """Runs until it is cancelled."""
    async with serve_web(settings) as address:
        log.info("service.ready", address=address)
        await asyncio.Future()


@contextlib.asynccontextmanager
async def serve_web(settings: WebSettings) -> AsyncIterator[str]:
    """Serves HTTP; yields its HOST:PORT.

    Whether a gateway answers is no condition of its start: health says that.

    Raises:
        StageError: FAILED_PRECONDITION: other machines reach the address, and there is no TLS, or
            the certificate cannot be used.
        OSError: The address cannot be listened on.
    """
    tls = open_tls(settings)
    if not settings.plaintext:
        check_exposure(settings.listen, has_tls=tls is not None, remedy=REMEDY)
    instance, release = instance_name(WEB), version("maie-web")
    async with contextlib.AsyncExitStack() as stack:
        tracers = await stack.enter_async_context(
            open_tracing(service=WEB, instance=instance, version=release)
        )
        meters = await stack.enter_async_context(
            open_metrics(settings.mesh, service=WEB, instance=instance, version=release)
        )
        health = HealthFile(settings.mesh.health_file, meters.get_meter("maie_web", release))
        await stack.enter_async_context(health.kept())
        client = await stack.enter_async_context(
            Client(settings.gateway, tls=_gateway_tls(settings), tracer_provider=tracers)
        )
        logins = await stack.enter_async_context(open_logins(settings, client))
        listening = stack.enter_context(listen(settings.listen))
        host, port = listening.getsockname()[:2]
        address = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        event_streams = EventStreams(timedelta(seconds=settings.heartbeat_seconds))
        sockets = OpenSockets()
        proxies = TrustedProxies(settings.trusted_proxies)
        proxies.server = address
        await stack.enter_async_context(proxies.running())
        origins = Origins(proxies, settings.proxy_header)
        app = make_app(_callers(settings, client, address, origins, logins), event_streams, sockets)
        config = uvicorn.Config(
            TracedApp(app, tracers.get_tracer("maie_web", release)),
            http="httptools",
            ws=WebSocketConnection,
            ws_max_size=MAX_MESSAGE_BYTES,
            # Audio is compressed already, or best sent as Opus.
            ws_per_message_deflate=False,
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            limit_concurrency=settings.max_connections,
            timeout_graceful_shutdown=round(settings.mesh.shutdown_grace_seconds),
        )
        if tls is not None:
            config.load()
            config.ssl = tls.context
        server = _Server(config)
        stack.push_async_callback(_drain, server, asyncio.create_task(server.serve([listening])))
        stack.push_async_callback(sockets.close)
        if tls is not None:
            await stack.enter_async_context(background_tasks(tls.refreshing()))
        await server.ready.wait()
        health.set_serving(True)
        try:
            yield address
        finally:
            health.set_serving(False)
            event_streams.drain()


def _lets_local_user_in(settings: WebSettings) -> bool:
    # As at gateways. Behind a proxy on this machine, everybody would come from who runs it.
    return settings.local_user and not settings.plaintext and is_loopback(settings.listen)


def _callers(
    settings: WebSettings, client: Client, address: str, origins: Origins, logins: Logins | None
) -> Callers:
    return Callers(
        client,
        address,
        SessionCookies(Seal(settings.session_key), behind_tls=bool(settings.plaintext)),
        session_hours=settings.session_hours,
        origins=origins,
        local_user=_lets_local_user_in(settings),
        logins=logins,
    )


def _gateway_tls(settings: WebSettings) -> Tls | None:
    return Tls(ca_file=settings.gateway_ca_file) if settings.gateway_ca_file else None


async def _drain(server: uvicorn.Server, serving: asyncio.Task[None]) -> None:
    """Takes no more connections, and waits for the running requests, up to the grace."""
    server.should_exit = True
    await serving
