"""Calls of another process of the mesh whose answers, or messages both ways, are streams."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, Generic, NoReturn, TypeVar

import grpc
from google.protobuf.message import DecodeError, Message
from google.rpc import error_details_pb2, status_pb2

from maie_core.errors import Code, StageError
from maie_core.reasons import Reason
from maie_runtime.rpc.errors import DETAILS_KEY
from maie_runtime.rpc.tls import channel_credentials, expects
from maie_tls.files import CertificateFiles

RequestT = TypeVar("RequestT", bound=Message)
ResponseT = TypeVar("ResponseT", bound=Message)
StubT = TypeVar("StubT")

# A ping and its timeout find a machine that is gone; servers refuse more than one in 10 s.
PING_EVERY_MS = 12_000
PING_TIMEOUT_MS = 5_000
# gRPC's default back-off of up to two minutes is longer than a replica's restart.
RECONNECT_MS = 200
MAX_RECONNECT_MS = 1_000
# How long to wait for the status of a call that took no message.
STATUS_SECONDS = 5.0
_OPTIONS = (
    ("grpc.max_receive_message_length", -1),
    ("grpc.keepalive_time_ms", PING_EVERY_MS),
    ("grpc.http2.ping_timeout_ms", PING_TIMEOUT_MS),
    ("grpc.initial_reconnect_backoff_ms", RECONNECT_MS),
    ("grpc.min_reconnect_backoff_ms", RECONNECT_MS),
    ("grpc.max_reconnect_backoff_ms", MAX_RECONNECT_MS),
    # The parts of a mesh reach each other without the environment's proxy.
    ("grpc.enable_http_proxy", 0),
)


class Peer(Generic[StubT]):
    """A service of another process; connects on first use.

    Args:
        address: Its HOST:PORT.
        stub: The generated stub of the service.
        part: The part of the mesh that must answer, such as "asr"; checked where there is TLS.
        certificates: For TLS; None: a plain connection.
    """

    def __init__(
        self,
        address: str,
        stub: Callable[[grpc.aio.Channel], StubT],
        part: str,
        certificates: CertificateFiles | None = None,
    ) -> None:
        self._certificates = certificates
        if certificates is None:
            self._channel = grpc.aio.insecure_channel(address, _OPTIONS)
        else:
            loaded = certificates.current()
            self._number = loaded.number
            self._channel = grpc.aio.secure_channel(
                address, channel_credentials(loaded), (*_OPTIONS, *expects(part))
            )
        self.stub = stub(self._channel)

    @property
    def is_current(self) -> bool:
        """Whether it was made with the certificates of now; a call goes on with those it has."""
        return self._certificates is None or self._certificates.current().number == self._number

    async def connects(self, seconds: float) -> bool:
        """Whether there is a connection, or comes in so many seconds."""
        try:
            async with asyncio.timeout(seconds):
                await self._channel.channel_ready()
        except TimeoutError:
            return False
        return True

    async def close(self) -> None:
        """Closes the connection, and ends its calls."""
        await self._channel.close()


class AnswerStream(Generic[ResponseT]):
    """A call whose answers are read one by one, and whose errors are StageErrors.

    Args:
        call: What a stub's method gave.
        unreachable: The reason of an error without a reason of its own, such as a broken
            connection.
    """

    def __init__(self, call: Any, unreachable: Reason) -> None:
        self._call = call
        self._unreachable = unreachable

    async def read(self) -> ResponseT | None:
        """The next message; None where the call ended well.

        Raises:
            StageError: What ended the call.
        """
        with self._errors():
            found = await self._call.read()
        return None if found is grpc.aio.EOF else found

    def cancel(self) -> None:
        """Ends the call, unless it has ended."""
        self._call.cancel()

    def _ended(self) -> StageError:
        return StageError(Code.UNAVAILABLE, self._unreachable, "The call has ended already.")

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except grpc.aio.AioRpcError as error:
            raise to_stage_error(error, self._unreachable) from error
        except asyncio.CancelledError as error:
            # gRPC raises it in each operation of a call that was cancelled on this side, too.
            task = asyncio.current_task()
            if task is not None and task.cancelling():
                raise
            raise StageError(
                Code.UNAVAILABLE, self._unreachable, "The call was cancelled."
            ) from error
        except (asyncio.InvalidStateError, grpc.aio.BaseError) as error:
            # `read` says why.
            raise self._ended() from error


class DuplexCall(AnswerStream[ResponseT], Generic[RequestT, ResponseT]):
    """A call with messages in both directions."""

    async def write(self, request: RequestT) -> None:
        """Sends a message; waits while the other side takes none.

        Raises:
            StageError: What ended the call.
        """
        with self._errors():
            await self._call.wait_for_connection()
            try:
                # Not `call.write`: where the other side has ended the call, grpcio 1.85 puts
                # INTERNAL in place of its status (grpc/grpc#36066).
                await self._call._cython_call.send_serialized_message(request.SerializeToString())
            except grpc.aio.InternalError:
                await self._raise_status()

    async def done_writing(self) -> None:
        """Says that no message follows.

        Raises:
            StageError: What ended the call.
        """
        with self._errors():
            await self._call.done_writing()

    async def _raise_status(self) -> NoReturn:
        """Raises what ended a call that takes no message any more."""
        with suppress(TimeoutError):
            async with asyncio.timeout(STATUS_SECONDS):
                await self._call.code()
                await self._call.wait_for_connection()
        raise self._ended()


def to_stage_error(error: grpc.aio.AioRpcError, unreachable: Reason) -> StageError:
    """The error that the other process raised, or that the connection had."""
    details = dict(error.trailing_metadata() or ()).get(DETAILS_KEY)
    info, retry = error_details_pb2.ErrorInfo(), error_details_pb2.RetryInfo()
    try:
        status = status_pb2.Status.FromString(details) if isinstance(details, bytes) else None
    except DecodeError:
        status = None
    for detail in status.details if status else ():
        for kind in (info, retry):
            detail.Unpack(kind)
    known = info.reason in Reason.__members__
    return StageError(
        Code(error.code().value[0]),
        Reason[info.reason] if known else unreachable,
        error.details() or f"The call ended with {error.code().name}.",
        retry_after=retry.retry_delay.ToTimedelta() if retry.HasField("retry_delay") else None,
    )
