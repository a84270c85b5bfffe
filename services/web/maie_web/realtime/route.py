"""OpenAI's realtime transcription over a WebSocket."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from http import HTTPStatus

from litestar import WebSocket, websocket
from litestar.exceptions import WebSocketDisconnect

from maie.common.v1 import types_pb2 as common
from maie.job.v1 import job_pb2 as job
from maie.live.v1 import live_pb2 as live
from maie_client import Client, ClientError
from maie_core.errors import StageError
from maie_web.callers import OPENAI_PROTOCOL, AllCallers
from maie_web.live.ending import end_session
from maie_web.live.handshake import AnyWebSocket, accepted
from maie_web.live.route import CLOSE_SECONDS, OVER, PROBLEM, RESTARTS, NamedSockets
from maie_web.one_off import OneOffJob
from maie_web.openai.errors import unsupported
from maie_web.openai.forms import LABELS
from maie_web.problems import document_of
from maie_web.realtime.conversation import Conversation, Voice, failure
from maie_web.realtime.dialect import Beta, Current, Dialect
from maie_web.realtime.settings import SessionSettings, Transcription

BETA = ("openai-beta", "realtime=v1")
BETA_PROTOCOL = "openai-beta.realtime-v1"
# https://www.iana.org/assignments/websocket: what OpenAI closes with where a key is wrong.
UNAUTHORIZED = 3000


@websocket("/v1/realtime")
async def realtime(socket: WebSocket, callers: AllCallers, sockets: NamedSockets) -> None:
    """Transcribes speech for clients of OpenAI's realtime API.

    An error of the connection is its last event; the code of the close is then 3000 where a key is
    wrong, and 4000 and the status otherwise.
    """
    voice = Voice(socket)
    with sockets.one(), suppress(WebSocketDisconnect):
        try:
            client = await accepted(socket, callers, (OPENAI_PROTOCOL,))
            await _converse(socket, voice, client, sockets.closing)
        except (ClientError, StageError) as error:
            await _close(socket, voice, error)


async def _converse(
    socket: AnyWebSocket, voice: Voice, client: Client, closing: asyncio.Event
) -> None:
    models = await client.list_models(common.STAGE_ASR)
    settings = _settings_of(socket)
    settings.check(models)
    async with client.live_session(_start(settings)) as session:
        is_kept = socket.query_params.get("store") == "true"
        one_off = None if is_kept else OneOffJob(client, session.session_id, store=False)
        try:
            talk = Conversation(socket, voice, session, models, settings, _dialect_of(socket))
            await talk.run(closing)
        finally:
            await asyncio.shield(end_session(session, one_off))
    await socket.close(RESTARTS if closing.is_set() else OVER)


def _settings_of(socket: AnyWebSocket) -> SessionSettings:
    """The settings that the address names.

    Raises:
        StageError: INVALID_ARGUMENT with OPTION_NOT_SUPPORTED: it names something else than
            transcription.
    """
    query = socket.query_params
    if "call_id" in query:
        raise unsupported("call_id", "Calls are not offered")
    if query.get("intent", "transcription") != "transcription":
        raise unsupported("intent", "Nothing but transcription is offered")
    if model := query.get("model"):
        return SessionSettings(transcription=Transcription(model=model))
    return SessionSettings()


def _dialect_of(socket: AnyWebSocket) -> Dialect:
    name, value = BETA
    is_beta = socket.headers.get(name) == value or BETA_PROTOCOL in socket.scope["subprotocols"]
    return Beta() if is_beta else Current()


def _start(settings: SessionSettings) -> live.StartSession:
    config = live.SessionConfig(
        format=settings.audio_format,
        job=job.JobConfig(features=[job.FEATURE_RAW_TRANSCRIPT], labels=LABELS),
        turns=settings.options().turns,
    )
    return live.StartSession(config=config)


async def _close(socket: AnyWebSocket, voice: Voice, error: Exception) -> None:
    """Says what is wrong, as the last event."""
    event = failure(error)
    status = document_of(error).status
    code = UNAUTHORIZED if status == HTTPStatus.UNAUTHORIZED else PROBLEM + status
    with suppress(TimeoutError, WebSocketDisconnect, StageError):
        async with asyncio.timeout(CLOSE_SECONDS):
            await voice.say(event)
            await socket.close(code, f"{event['error']['type']}.{event['error']['code']}")
