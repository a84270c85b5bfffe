"""Why a call ends before its session, or before the summary."""

from __future__ import annotations

from datetime import timedelta

from maie.live.v1 import live_pb2 as live
from maie_core.errors import Code, StageError, invalid
from maie_core.reasons import Reason

RETRY_AFTER = timedelta(seconds=1)


def go_away(seconds: float) -> live.TranscribeResponse:
    """Says that the gateway stops.

    Args:
        seconds: How long the call is still answered.
    """
    going = live.GoAway()
    going.time_left.FromNanoseconds(round(seconds * 1e9))
    event = live.TranscribeResponse(go_away=going)
    event.event_time.GetCurrentTime()
    return event


def stopping() -> StageError:
    """The error for a call that is still there when the gateway stops."""
    return StageError(
        Code.UNAVAILABLE,
        Reason.STREAM_ENDED,
        "The gateway stops; resume the session at another.",
        retry_after=RETRY_AFTER,
    )


def gone() -> StageError:
    """The error for a call whose client sends no more, without an end."""
    return StageError(
        Code.INVALID_ARGUMENT,
        Reason.STREAM_INCOMPLETE,
        "The messages of the call ended without `end`; resume the session to go on.",
    )


def out_of_order() -> StageError:
    """The error for a message that cannot come here."""
    return invalid(
        Reason.STREAM_OUT_OF_ORDER,
        "`start` comes first and once, and each message after it holds something.",
    )


def idle(seconds: float) -> StageError:
    """The error for a call that receives nothing for so long."""
    return StageError(
        Code.DEADLINE_EXCEEDED,
        Reason.SESSION_IDLE,
        f"Nothing was received for {seconds:g} s; send keep_alive while there is no audio, and "
        "resume the session.",
    )


def quiet(seconds: float) -> StageError:
    """The error for a call that receives no audio for so long, whatever else it receives."""
    return StageError(
        Code.DEADLINE_EXCEEDED,
        Reason.SESSION_IDLE,
        f"No audio was received for {seconds:g} s; resume the session when there is some.",
    )


def internal() -> StageError:
    """The error for a defect."""
    return StageError(
        Code.INTERNAL,
        Reason.INTERNAL,
        "Something went wrong inside the gateway; its log has the details.",
    )
