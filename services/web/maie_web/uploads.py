"""Forms with a recording become jobs while they are uploaded."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing, asynccontextmanager, suppress

from litestar import Request
from litestar.types import Receive
from litestar.types.asgi_types import ReceiveMessage

from maie.job.v1 import job_pb2 as job
from maie_client import Client, ClientError
from maie_core.errors import StageError, invalid
from maie_core.reasons import Reason
from maie_web.forms import Form

# What a client that is refused has sent meanwhile is read and dropped for so long, so that it gets
# the answer before its connection is closed.
LINGER_SECONDS = 5.0

ConfigOf = Callable[[bool], job.JobConfig]
"""Gives the job that a form asks for, as far as it has come; the argument is whether all has."""


@asynccontextmanager
async def form_of(request: Request) -> AsyncIterator[Form]:
    """The form of a request; where it is refused within the context, the rest of it is dropped.

    Raises:
        StageError: INVALID_ARGUMENT with REQUEST_UNREADABLE: it is no form.
    """
    async with lingering(request):
        yield Form(request.headers.get("content-type", ""), request.stream())


@asynccontextmanager
async def lingering(request: Request) -> AsyncIterator[None]:
    """Drops the rest of a request that is refused within the context."""
    body = _Received(request.receive)
    request.receive = body.receive
    try:
        yield
    except (ClientError, StageError):
        with suppress(TimeoutError):
            async with asyncio.timeout(LINGER_SECONDS):
                await body.drop_rest()
        raise


class _Received:
    """What has come of a request's body. After its end, only the client's leaving is received."""

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._has_ended = False

    async def receive(self) -> ReceiveMessage:
        """The next message."""
        message = await self._receive()
        self._has_ended = not message.get("more_body", False)
        return message

    async def drop_rest(self) -> None:
        """Reads up to the end of the body, or of the connection."""
        while not self._has_ended:
            await self.receive()


async def submit(client: Client, form: Form, config_of: ConfigOf) -> job.Job:
    """Makes a job of a form. Its fields may come after its file.

    Args:
        client: Acts for who sends the form.
        form: The form.
        config_of: Asked before the file and at the end; the answer at the end counts.

    Raises:
        StageError: INVALID_ARGUMENT: the form lacks the file, or a field is wrong.
        ClientError: The gateway's error.
    """
    if not await form.until_file():
        raise invalid(
            Reason.REQUEST_UNREADABLE,
            "The form has no file; send the recording in the field `file`.",
            field="file",
        )
    return await submit_file(client, form, config_of)


async def submit_file(client: Client, form: Form, config_of: ConfigOf) -> job.Job:
    """Makes a job of a form whose file is next; otherwise as `submit`."""
    first = config_of(False)

    def last() -> job.JobConfig | None:
        config = config_of(True)
        return None if config == first else config

    async with aclosing(form.file()) as pieces:
        return await client.upload(first, pieces, last)
