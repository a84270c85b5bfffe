"""A LiveKit room from its first track to the end of its session."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import partial

from maie_cli.console import err, note
from maie_cli.exits import Exit, leave
from maie_cli.live.captions import Captions, captions_of
from maie_cli.live.listening import note_end
from maie_cli.live.stopping import stoppable
from maie_client import Client, LiveOptions, LiveSession
from maie_livekit import Room, Speakers, Transcriber
from maie_livekit.room import RoomError
from maie_livekit.sdk import access_token, joined


@asynccontextmanager
async def joining(
    *, url: str, key: str, secret: str, room: str, identity: str
) -> AsyncIterator[Room]:
    """Joins a LiveKit room, and leaves it at the end.

    Args:
        url: The LiveKit server.
        key: Its API key.
        secret: The key's secret.
        room: The room's name.
        identity: Who joins.

    Raises:
        RoomError: It cannot be joined.
    """
    # The SDK would write on the terminal; the command says what matters in a sentence.
    logging.getLogger("livekit").addHandler(logging.NullHandler())
    async with joined(url, access_token(key, secret, room, identity)) as found:
        yield found


async def transcribe(
    joining: AbstractAsyncContextManager[Room],
    client: Client,
    options: LiveOptions,
    *,
    gateways: Sequence[str],
    publish: bool,
    as_json: bool,
) -> tuple[str, bool]:
    """Transcribes a room, and shows what is said, to its end.

    Args:
        joining: Joins the room, and leaves it.
        client: The connection; open.
        options: The options of the session.
        gateways: Further gateways.
        publish: Whether to show the text in the room, too.
        as_json: Whether to print events as JSON.

    Returns:
        The session's job, and whether all that was said is in it; False where somebody
        else ended the session.

    Raises:
        ClientError: The session is refused, or cannot go on.
        typer.Exit: The room cannot be joined, or the connection to it is lost for good.
    """
    try:
        async with joining as room, client.live(gateways=gateways, **options) as session:
            return await _converse(room, session, publish=publish, as_json=as_json)
    except RoomError as error:
        leave(str(error), Exit.UNREACHABLE)


async def _converse(
    room: Room, session: LiveSession, *, publish: bool, as_json: bool
) -> tuple[str, bool]:
    if err.is_terminal:
        note(f"listening as job {session.session_id}; Ctrl-C ends it")
    try:
        return await _run(room, session, publish=publish, as_json=as_json)
    except BaseException:
        note(f"what was said so far is in job {session.session_id}")
        raise


async def _run(
    room: Room, session: LiveSession, *, publish: bool, as_json: bool
) -> tuple[str, bool]:
    speakers = Speakers()
    async with captions_of(session, speakers, as_json=as_json) as captions:
        transcriber = Transcriber(room, session, speakers, captions, publish=publish)
        with stoppable(partial(_stop, room, captions)):
            ended = await transcriber.run()
    note_end(ended)
    return ended.job_id, transcriber.complete


def _stop(room: Room, captions: Captions) -> None:
    captions.note("ending the session; Ctrl-C once more leaves it at once")
    room.stop()
