"""The WebSocket of Deepgram's API."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from http import HTTPStatus

from litestar import WebSocket, websocket
from litestar.exceptions import WebSocketDisconnect
from litestar.serialization import encode_json

from maie.asr.v1 import streaming_pb2 as streaming
from maie.common.v1 import types_pb2 as common
from maie.job.v1 import job_pb2 as job
from maie.live.v1 import live_pb2 as live
from maie_client import Client, ClientError
from maie_client.live import linear16
from maie_core.durations import duration
from maie_core.errors import StageError
from maie_core.live_options import MIN_SILENCE
from maie_web.callers import DEEPGRAM_PROTOCOLS, AllCallers, Callers
from maie_web.deepgram.errors import REQUEST_ID, error_of
from maie_web.deepgram.formats import named_format
from maie_web.deepgram.messages import Messages
from maie_web.deepgram.options import LABELS, StreamOptions, options_of
from maie_web.deepgram.stream import Stream
from maie_web.live.ending import end_session
from maie_web.live.handshake import AnyWebSocket, accept, refuse
from maie_web.live.passing import show
from maie_web.live.route import CLOSE_SECONDS, OVER, RESTARTS, NamedSockets
from maie_web.one_off import OneOffJob
from maie_web.problems import document_of

# https://developers.deepgram.com/docs/stt-troubleshooting-websocket-data-and-net-errors
WRONG = 1008
FAILED = 1011


@websocket("/v1/listen")
async def listen_live(socket: WebSocket, callers: AllCallers, sockets: NamedSockets) -> None:
    """Transcribes live speech for clients of Deepgram's API.

    What is wrong with the address or the key refuses the handshake; what goes wrong later is the
    last message, and the reason of the close.
    """
    with sockets.one(), suppress(WebSocketDisconnect):
        opened = asyncio.Event()
        try:
            await _converse(socket, callers, opened, sockets.closing)
        except (ClientError, StageError) as error:
            await (_close(socket, error) if opened.is_set() else _refuse(socket, error))


async def _converse(
    socket: AnyWebSocket, callers: Callers, opened: asyncio.Event, closing: asyncio.Event
) -> None:
    client = await callers.client_of(socket)
    asked = options_of(StreamOptions, socket.query_params.dict())
    models = await client.list_models(common.STAGE_ASR)
    asked.check(models)
    engine = models[0].info.engine if models else common.EngineVersion()
    named = named_format(asked)
    async with client.live_session(_start(asked, named)) as session:
        one_off = _one_off(client, session.session_id, asked)
        try:
            await accept(socket, callers, DEEPGRAM_PROTOCOLS)
            opened.set()
            messages = Messages(session.session_id, asked, engine)
            await Stream(socket, session, asked, messages, named).run(closing)
        finally:
            await asyncio.shield(end_session(session, one_off))
    await socket.close(RESTARTS if closing.is_set() else OVER)


def _one_off(client: Client, job_id: str, asked: StreamOptions) -> OneOffJob | None:
    return None if asked.store else OneOffJob(client, job_id, store=False)


def _start(asked: StreamOptions, named: live.AudioFormat | None) -> live.StartSession:
    turns = streaming.TurnOptions(detector=streaming.TURN_DETECTOR_VAD)
    if not isinstance(asked.endpointing, bool):
        # Deepgram waits for 10 ms if unset, and engines here for 100 ms at least.
        turns.min_silence.CopyFrom(duration(max(asked.endpointing / 1000, MIN_SILENCE)))
    config = live.SessionConfig(
        # A track whose audio says its format itself is joined with that one.
        format=named or linear16(),
        job=job.JobConfig(
            features=[job.FEATURE_RAW_TRANSCRIPT], asr_options=asked.asr_options(), labels=LABELS
        ),
        partials=streaming.PartialOptions(enabled=asked.interim_results),
        turns=turns,
    )
    return live.StartSession(config=config)


async def _refuse(socket: AnyWebSocket, error: Exception) -> None:
    document = document_of(error)
    body = error_of(document)
    message = "".join(each for each in body["err_msg"] if each.isprintable())
    headers = {REQUEST_ID: body["request_id"], "dg-error": message}
    await refuse(socket, document.status, encode_json(body), "application/json", headers)


async def _close(socket: AnyWebSocket, error: Exception) -> None:
    """Says what is wrong, as the last message."""
    document = document_of(error)
    said = {"type": "Error", "variant": document.reason, "description": document.detail}
    is_wrong = document.status < HTTPStatus.INTERNAL_SERVER_ERROR
    with suppress(TimeoutError, WebSocketDisconnect, StageError):
        async with asyncio.timeout(CLOSE_SECONDS):
            await show(socket, encode_json(said).decode())
            await socket.close(WRONG if is_wrong else FAILED, document.reason)
