"""Errors between a client and a gateway."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta

import grpc
from google.rpc import error_details_pb2 as details
from google.rpc import status_pb2
from grpc_status import rpc_status

from maie_client.reasons import ClientReason
from maie_client.text import sendable
from maie_tls.problems import tls_problem

# The codes of a call whose gateway was stopped, killed or disconnected during it.
_BREAKS = frozenset(
    {
        grpc.StatusCode.UNAVAILABLE,
        grpc.StatusCode.CANCELLED,
        grpc.StatusCode.INTERNAL,
        grpc.StatusCode.UNKNOWN,
    }
)


class ClientError(Exception):
    """An error of the gateway, or no gateway answers.

    Attributes:
        code: The canonical code.
        reason: The machine-readable cause, UPPER_SNAKE_CASE, such as
            "TEMPLATE_REQUIRED"; GATEWAY_UNREACHABLE if no gateway answers.
            Empty if the gateway named none.
        message: One sentence for a person.
        retry_after: When to try again, if the gateway says.
        fields: The problem with each invalid field of the request.
        address: Where no gateway answers; empty in other errors.
        limit: The limit that was reached, such as "key_requests"; empty in other errors.
        offset_bytes: Where to go on with a resumable upload; None in other errors.
    """

    def __init__(
        self,
        code: grpc.StatusCode,
        reason: str,
        message: str,
        retry_after: timedelta | None = None,
        fields: Mapping[str, str] | None = None,
        address: str = "",
        limit: str = "",
        offset_bytes: int | None = None,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.reason = reason
        self.message = message
        self.retry_after = retry_after
        self.fields = dict(fields or {})
        self.address = address
        self.limit = limit
        self.offset_bytes = offset_bytes

    @property
    def is_break(self) -> bool:
        """Whether the connection failed, without an answer of the gateway."""
        if self.code is grpc.StatusCode.UNAVAILABLE:
            return True
        return self.code in _BREAKS and not self.reason


@contextmanager
def client_errors(address: str) -> Iterator[None]:
    """Raises gRPC's errors as ClientError."""
    try:
        yield
    except grpc.aio.AioRpcError as error:
        raise decode(error, address) from error


def tenant_invalid() -> ClientError:
    """The error for a tenant's name that cannot be sent."""
    return ClientError(
        grpc.StatusCode.INVALID_ARGUMENT,
        ClientReason.TENANT_INVALID,
        "A tenant's name is up to 32 characters of a-z, 0-9 and -, not beginning with -.",
    )


def address_invalid(address: str) -> ClientError:
    """The error for an address that gRPC cannot resolve."""
    return ClientError(
        grpc.StatusCode.INVALID_ARGUMENT,
        ClientReason.ADDRESS_INVALID,
        f"{_without_password(sendable(address))!r} is no address of a gateway; write HOST:PORT, "
        "such as localhost:50051.",
    )


def _without_password(address: str) -> str:
    user, found, place = address.rpartition("@")
    scheme = user.partition("://")[0] + "://" if "://" in user else ""
    return f"{scheme}**********@{place}" if found else address


def token_invalid() -> ClientError:
    """The error for a key or token that cannot be one."""
    return ClientError(
        grpc.StatusCode.UNAUTHENTICATED,
        ClientReason.CREDENTIALS_INVALID,
        "The API key or token has characters that none can have; copy it again, whole.",
    )


def token_unprotected(address: str) -> ClientError:
    """The error for a key or token that everybody on the way could read."""
    return ClientError(
        grpc.StatusCode.FAILED_PRECONDITION,
        ClientReason.TOKEN_UNPROTECTED,
        f"The API key or token is not sent to {sendable(address)} without TLS, since others could "
        "read it on the way; write https:// before the address.",
    )


def not_a_gateway(address: str) -> ClientError:
    """The error for another server, such as a stage's."""
    return ClientError(
        grpc.StatusCode.UNIMPLEMENTED,
        ClientReason.NOT_A_GATEWAY,
        f"What answers at {address} is no maie gateway of this version; it may be a stage of the "
        "mesh, or an older gateway.",
    )


def decode(error: grpc.aio.AioRpcError, address: str) -> ClientError:
    """Decodes an error with the gateway's details."""
    status = _status(error)
    if status is None:
        return _without_details(error, address)
    info, retry, bad = details.ErrorInfo(), details.RetryInfo(), details.BadRequest()
    for detail in status.details:
        for kind in (info, retry, bad):
            detail.Unpack(kind)
    offset = info.metadata.get("offset_bytes", "")
    return ClientError(
        error.code(),
        info.reason,
        status.message,
        retry.retry_delay.ToTimedelta() if retry.HasField("retry_delay") else None,
        {violation.field: violation.description for violation in bad.field_violations},
        limit=info.metadata.get("limit", ""),
        offset_bytes=int(offset) if offset.isdecimal() else None,
    )


def _status(error: grpc.aio.AioRpcError) -> status_pb2.Status | None:
    try:
        return rpc_status.from_call(error)  # type: ignore[arg-type] # it asks for what both have
    except ValueError:
        return None  # the details contradict the status


def _without_details(error: grpc.aio.AioRpcError, address: str) -> ClientError:
    if error.code() is grpc.StatusCode.UNAVAILABLE:
        problem = tls_problem(
            error.details() or "",
            sendable(address),
            setting="MAIE_CA_FILE or Tls(ca_file=...)",
            plain="leave out https://",
        )
        if problem:
            return ClientError(error.code(), ClientReason.TLS_FAILED, problem)
        return ClientError(
            error.code(),
            ClientReason.GATEWAY_UNREACHABLE,
            f"No maie gateway answers at {address}; is it running, and is the address right?",
            address=address,
        )
    if error.code() is grpc.StatusCode.UNIMPLEMENTED:
        return not_a_gateway(address)
    message = error.details() or f"The call failed: {error.code().name}."
    return ClientError(error.code(), "", message)
