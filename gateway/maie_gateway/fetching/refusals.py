"""Why a recording could not be fetched."""

from __future__ import annotations

from http import HTTPStatus

from maie_core.errors import Code, StageError
from maie_core.reasons import Reason

FIELD = "url"
_NOT_THERE = frozenset({HTTPStatus.NOT_FOUND, HTTPStatus.GONE})
_WANTS_LOGIN = frozenset(
    {
        HTTPStatus.UNAUTHORIZED,
        HTTPStatus.FORBIDDEN,
        HTTPStatus.PROXY_AUTHENTICATION_REQUIRED,
    }
)
_PASSING = frozenset({HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_MANY_REQUESTS})


def of_status(status: int) -> StageError:
    """The error for an answer without a recording."""
    if status in _NOT_THERE:
        return _final(
            Reason.FETCH_NOT_FOUND, f"There is nothing at the URL (HTTP {status}); correct it."
        )
    if status in _WANTS_LOGIN:
        return _final(
            Reason.FETCH_FORBIDDEN,
            f"The server of the URL wants to know who asks (HTTP {status}); give a signed URL, or "
            "upload the recording.",
        )
    if status in _PASSING or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return unavailable(f"answered with HTTP {status}")
    return refused(f"answered with HTTP {status}")


def refused(what: str) -> StageError:
    """The error for a server that gives something else than the file."""
    return _final(
        Reason.FETCH_REFUSED,
        f"The server of the URL {what}; give the URL of the file itself, or upload the recording.",
    )


def off() -> StageError:
    """The error where nothing is fetched."""
    return StageError(
        Code.UNIMPLEMENTED,
        Reason.FETCH_OFF,
        "This gateway fetches no recordings; upload it.",
    )


def unavailable(what: str) -> StageError:
    """The error for a server that another call may reach."""
    return _passing(Reason.FETCH_UNAVAILABLE, what)


def incomplete() -> StageError:
    """The error for a server that breaks off."""
    return _passing(Reason.FETCH_INCOMPLETE, "broke off in the middle of the recording")


def too_slow() -> StageError:
    """The error for a server that does not answer or sends too slowly."""
    return _passing(Reason.FETCH_TOO_SLOW, "did not send the recording in time")


def _final(reason: Reason, message: str) -> StageError:
    return StageError(Code.FAILED_PRECONDITION, reason, message, field=FIELD)


def _passing(reason: Reason, what: str) -> StageError:
    message = f"The server of the URL {what}; try again later, or upload the recording."
    return StageError(Code.ABORTED, reason, message, field=FIELD)
