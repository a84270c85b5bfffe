"""Errors of live sessions that the client itself raises."""

from __future__ import annotations

import grpc

from maie.common.v1 import types_pb2 as common
from maie_client.errors import ClientError
from maie_client.reasons import ClientReason

_RESUMABLE = frozenset(
    {
        grpc.StatusCode.DEADLINE_EXCEEDED,
        grpc.StatusCode.INTERNAL,
        grpc.StatusCode.RESOURCE_EXHAUSTED,
    }
)


def is_resumable(error: ClientError) -> bool:
    """Whether a session may go on after an error, which is about its call or its gateway."""
    if error.reason == ClientReason.TRACKS_FULL:
        # It would be the same in the next call. Gateways of 0.1.0 send it as RESOURCE_EXHAUSTED.
        return False
    return error.is_break or error.code in _RESUMABLE


def is_without_place(reason: str) -> bool:
    """Whether a track was dropped only because no ASR replica had room."""
    return reason in {ClientReason.LIVE_BUSY, ClientReason.LIVE_UNAVAILABLE}


def track_failed(warning: common.Warning) -> ClientError:
    """The error for audio of a track that cannot be recognised."""
    return ClientError(grpc.StatusCode.FAILED_PRECONDITION, warning.reason, warning.message)


def nothing_after_end() -> ClientError:
    """The error for a message after the end."""
    return ClientError(
        grpc.StatusCode.INVALID_ARGUMENT,
        ClientReason.STREAM_OUT_OF_ORDER,
        "The session's end was sent; nothing can follow it. Begin a new session.",
    )


def session_ended() -> ClientError:
    """The error for a message to a session that is over."""
    return ClientError(
        grpc.StatusCode.FAILED_PRECONDITION,
        ClientReason.SESSION_ENDED,
        "The live session has ended; begin a new one. Its transcript is in the job of its id.",
    )


def session_left() -> ClientError:
    """The error for a message after the session's block was left."""
    return ClientError(
        grpc.StatusCode.INVALID_ARGUMENT,
        ClientReason.STREAM_OUT_OF_ORDER,
        "This client has left the live session; resume it to go on.",
    )


def call_ended(why: str) -> ClientError:
    """The error for a call that ends before the session; the client resumes."""
    return ClientError(
        grpc.StatusCode.UNAVAILABLE,
        ClientReason.STREAM_ENDED,
        f"{why}; resume the session to go on.",
    )


class GatewaySilentError(ClientError):
    """The gateway promised to send events, and sends none; the client resumes elsewhere."""

    def __init__(self, seconds: float) -> None:
        super().__init__(
            grpc.StatusCode.UNAVAILABLE,
            ClientReason.STREAM_ENDED,
            f"The gateway sent nothing for {seconds:g} s; resume the session to go on.",
        )


def audio_invalid(message: str) -> ClientError:
    """The error for audio that cannot be sent."""
    return ClientError(grpc.StatusCode.INVALID_ARGUMENT, ClientReason.AUDIO_PART_INVALID, message)
