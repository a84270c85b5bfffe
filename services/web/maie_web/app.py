"""The application: routes, errors, documentation."""

from __future__ import annotations

from importlib.metadata import version

from google.protobuf.message import Message
from litestar import Litestar, Request, Router
from litestar.connection import ASGIConnection
from litestar.di import Provide
from litestar.openapi import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin
from litestar.openapi.spec import Components, SecurityScheme
from litestar.types import Message as AsgiMessage
from litestar.types import Scope
from mcp.server.mcpserver import MCPServer

from maie_client import Client
from maie_formats.as_json import to_dict
from maie_mcp import make_server
from maie_mcp.http import client_of
from maie_web import console, problems
from maie_web.callers import Callers
from maie_web.contract.schemas import ContractSchemas
from maie_web.deepgram import errors as deepgram_errors
from maie_web.deepgram import recordings
from maie_web.deepgram.route import listen_live
from maie_web.event_streams import EventStreams
from maie_web.live.route import transcribe
from maie_web.live.sockets import OpenSockets
from maie_web.openai import errors, models, routes, speech
from maie_web.realtime.route import realtime
from maie_web.routes import (
    admin,
    catalog,
    dead_letters,
    downloads,
    events,
    health,
    jobs,
    mcp,
    oidc,
    process,
    reports,
    revisions,
    session,
    shared,
    shares,
    templates,
    tenants,
    voices,
    waveforms,
)
from maie_web.sessions.cookies import NAME
from maie_web.tus import routes as tus
from maie_web.tus.headers import respond

# Of requests without a recording.
MOST_BODY_BYTES = 1024 * 1024

API = (
    catalog.models,
    templates.templates,
    templates.check,
    templates.template,
    templates.schema,
    templates.versions,
    templates.save,
    templates.remove,
    templates.of_job,
    jobs.list_jobs,
    jobs.search,
    jobs.get_job,
    jobs.timeline,
    events.events,
    downloads.results,
    downloads.audio,
    downloads.digest,
    reports.reading,
    reports.quality,
    waveforms.waveform,
    jobs.cancel,
    jobs.retry,
    jobs.update,
    jobs.remove,
    revisions.revisions,
    revisions.save,
    revisions.revision,
    revisions.revert,
    revisions.summarize,
    dead_letters.letters,
    dead_letters.replay,
    admin.keys,
    admin.make_key,
    admin.rotate_key,
    admin.revoke_key,
    admin.audit,
    admin.mesh,
    tenants.tenants,
    tenants.set_limits,
    shares.create,
    shares.of_job,
    shares.of_all,
    shares.revoke,
    voices.enroll,
    voices.listed,
    voices.one,
    voices.add,
    voices.rename,
    voices.remove,
    voices.in_job,
    shared.open_share,
    shared.results,
    shared.audio,
    shared.waveform,
    process.process,
    mcp.mcp,
    session.log_in,
    session.current,
    session.log_out,
    oidc.ways,
    oidc.begin,
    oidc.finish,
)
"""What is for callers: handlers ask for the client that acts for who calls."""
OPENAI = (models.model, routes.transcriptions, routes.translations, speech.create_speech)
"""What is for callers with OpenAI's clients, whose errors have a form of their own."""
DEEPGRAM = (recordings.listen,)
"""What is for callers with Deepgram's clients; likewise."""


def make_app(callers: Callers, event_streams: EventStreams, sockets: OpenSockets) -> Litestar:
    """The application.

    Args:
        callers: Gives each request its client of the gateway.
        event_streams: Makes the streams of events.
        sockets: The WebSockets that are open.
    """

    async def client(request: Request) -> Client:
        return await callers.client_of(request)

    async def set_renewed(message: AsgiMessage, scope: Scope) -> None:
        if message["type"] == "http.response.start":
            cookies = callers.renewed_cookies(ASGIConnection(scope))
            message["headers"] = [
                *message["headers"],
                *(each.to_encoded_header() for each in cookies),
            ]

    async def all_callers() -> Callers:
        return callers

    files = console.Console()

    async def all_files() -> console.Console:
        return files

    async def streams() -> EventStreams:
        return event_streams

    server = make_server(client_of, urls=True)

    async def mcp_server() -> MCPServer:
        return server

    async def all_sockets() -> OpenSockets:
        return sockets

    api = Router(
        "/",
        route_handlers=API,
        dependencies={
            "client": Provide(client),
            "event_streams": Provide(streams),
            "mcp_server": Provide(mcp_server),
        },
    )
    resumable = Router(
        "/",
        route_handlers=tus.ROUTES,
        dependencies={"client": Provide(client)},
        exception_handlers={Exception: respond},
    )
    openai = Router(
        "/",
        route_handlers=OPENAI,
        dependencies={"client": Provide(client)},
        exception_handlers={Exception: errors.respond},
    )
    deepgram = Router(
        "/",
        route_handlers=DEEPGRAM,
        dependencies={"client": Provide(client)},
        exception_handlers={Exception: deepgram_errors.respond},
    )
    return Litestar(
        [
            health.health,
            health.live,
            *console.PAGES,
            transcribe,
            realtime,
            listen_live,
            api,
            resumable,
            openai,
            deepgram,
        ],
        dependencies={
            "callers": Provide(all_callers),
            "console": Provide(all_files),
            "sockets": Provide(all_sockets),
        },
        plugins=[ContractSchemas()],
        type_encoders={Message: to_dict},
        before_send=[set_renewed],
        exception_handlers={Exception: problems.respond},
        openapi_config=_documentation(),
        # Recordings are streamed, and limited by the gateway.
        request_max_body_size=MOST_BODY_BYTES,
        logging_config=None,
        debug=False,
    )


def _documentation() -> OpenAPIConfig:
    return OpenAPIConfig(
        title="maie",
        version=version("maie-web"),
        # The console has the page that shows it; Litestar's own ones load scripts from elsewhere.
        path="/docs/openapi.json",
        render_plugins=[JsonRenderPlugin(path="/")],
        use_handler_docstrings=True,
        summary="Recordings and live speech in; transcripts, summaries and figures out.",
        components=Components(
            security_schemes={
                "key": SecurityScheme(
                    type="http",
                    scheme="bearer",
                    description="An API key or a JSON Web Token of the mesh.",
                ),
                "session": SecurityScheme(
                    type="apiKey",
                    name=NAME,
                    security_scheme_in="cookie",
                    description="The cookie of a login; over TLS its name begins with __Host-.",
                ),
            }
        ),
        security=[{"key": []}, {"session": []}],
    )
