"""Maps a server's errors to errors that a caller can act on.

A server's error text is neither logged nor returned, for it may repeat the prompt.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Any

from maie_core.errors import Code, StageError, invalid
from maie_core.reasons import Reason
from maie_runtime.server_calls import ServerUnavailable

# Transient errors, in addition to all of 500 and above.
PASSING = frozenset(
    {
        HTTPStatus.REQUEST_TIMEOUT,
        HTTPStatus.CONFLICT,
        HTTPStatus.TOO_EARLY,
        HTTPStatus.TOO_MANY_REQUESTS,
    }
)
TOO_LONG_STATUS = frozenset(
    {
        HTTPStatus.BAD_REQUEST,
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        HTTPStatus.UNPROCESSABLE_ENTITY,
    }
)
# OpenAI's and llama.cpp's codes, and the words of vLLM and others.
TOO_LONG = re.compile(
    r"context_length_exceeded|exceed_context_size|context (length|size|window)"
    r"|(prompt|input)\b.{0,40}\btoo long",
    re.IGNORECASE,
)
NO_CREDIT = "insufficient_quota"


class Unavailable(ServerUnavailable):
    """The server cannot answer for now.

    Args:
        what: What happened, such as "cannot be reached".
        wait: When to try again, by the server's header.
        answered: Whether the server works and is only overloaded.
    """

    def __init__(self, what: str, wait: timedelta | None = None, *, answered: bool = False) -> None:
        super().__init__(
            f"The language model's server {what}; try again later.", wait=wait, answered=answered
        )


def prompt_too_long(what: str) -> StageError:
    """Prompt and answer do not fit the window.

    Args:
        what: What does not fit, such as "The prompt of 5000 tokens".
    """
    return invalid(
        Reason.PROMPT_TOO_LONG,
        f"{what} does not fit the language model's window; ask for less at once, or use a model "
        "with a longer window.",
    )


def access_denied(what: str) -> StageError:
    """The server denies access."""
    return StageError(
        Code.FAILED_PRECONDITION,
        Reason.MODEL_ACCESS_DENIED,
        f"The language model's server {what}; check the service's API key and what it may use.",
    )


def model_missing(model: str, known: list[str] | None = None) -> StageError:
    """The server has no such model."""
    shown = f"; it has {', '.join(sorted(known)[:10])}" if known else ""
    return StageError(
        Code.FAILED_PRECONDITION,
        Reason.MODEL_MISSING,
        f"The language model's server has no model {model!r} at this URL{shown}; "
        "check the service's base URL and model.",
    )


def content_refused() -> StageError:
    """The model, or a filter behind it, does not answer this prompt."""
    return invalid(
        Reason.CONTENT_REFUSED,
        "The language model's server refuses to answer this text; use another model.",
    )


def status_error(status: int, headers: Any, body: Any, model: str) -> StageError:
    """The error for an unsuccessful answer.

    Args:
        status: The HTTP status.
        headers: The answer's headers.
        body: Its JSON; None without JSON.
        model: The model that was asked for.
    """
    kind, words = _complaint(body)
    if kind == NO_CREDIT:
        return access_denied("says that the account has no credit left")
    if status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
        return access_denied(f"refuses access with HTTP status {status}")
    if status in PASSING or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return Unavailable(
            f"answered with HTTP status {status}",
            retry_after_of(headers),
            answered=status == HTTPStatus.TOO_MANY_REQUESTS,
        )
    if status == HTTPStatus.NOT_FOUND:
        return model_missing(model)
    if status in TOO_LONG_STATUS and TOO_LONG.search(f"{kind} {words}"):
        return prompt_too_long("The prompt")
    shown = f" ({kind})" if kind else ""
    return StageError(
        Code.FAILED_PRECONDITION,
        Reason.MODEL_REQUEST_REFUSED,
        f"The language model's server refused the request with HTTP status {status}{shown}; its "
        "own log says why. It may not know the structured output or the parameters that are set.",
    )


def retry_after_of(headers: Any) -> timedelta | None:
    """Parses `Retry-After`: seconds or a date (RFC 9110, 10.2.3)."""
    value = str(headers.get("retry-after", "")).strip()
    if re.fullmatch(r"\d{1,9}(\.\d+)?", value):
        return timedelta(seconds=float(value))
    try:
        until = parsedate_to_datetime(value)
    except ValueError:
        return None
    return max(until - datetime.now(UTC), timedelta()) if until.tzinfo else None


def _complaint(body: Any) -> tuple[str, str]:
    """The kind of a server's error, and its text."""
    error = body.get("error", body) if isinstance(body, dict) else {}
    if not isinstance(error, dict):
        return "", str(error)
    kinds = [error.get(name) for name in ("code", "type")]
    kind = next((each for each in kinds if isinstance(each, str) and _is_name(each)), "")
    return kind, str(error.get("message", ""))


def _is_name(kind: str) -> bool:
    return re.fullmatch(r"[A-Za-z0-9_.-]{1,64}", kind) is not None
