"""Errors as problem documents (RFC 9457), with the reasons of the contract."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus

import structlog
from litestar import Request, Response
from litestar.exceptions import HTTPException
from litestar.openapi import ResponseSpec

from maie_client import ClientError
from maie_core.codes import Code
from maie_core.errors import OUTCOMES, StageError
from maie_core.reasons import Reason

log = structlog.get_logger()

MEDIA_TYPE = "application/problem+json"
# What Litestar raises where a client leaves in the midst of a body.
CLIENT_LEFT = "client disconnected prematurely"
# Where HTTP has a status of its own for what the contract has a reason for.
CHECKSUM_MISMATCH = 460
"""tus's own status: what came is not what its checksum says."""
BY_REASON: Mapping[str, int] = {
    Reason.UPLOAD_TOO_LARGE: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    Reason.AUDIO_TOO_LARGE: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    Reason.REQUEST_TOO_LARGE: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    Reason.UNSUPPORTED_FORMAT: HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    Reason.UPLOAD_IDLE: HTTPStatus.REQUEST_TIMEOUT,
    Reason.UPLOAD_TOO_LONG: HTTPStatus.REQUEST_TIMEOUT,
    Reason.UPLOAD_TOO_SLOW: HTTPStatus.REQUEST_TIMEOUT,
    Reason.REQUEST_LATE: HTTPStatus.REQUEST_TIMEOUT,
    Reason.FETCH_UNAVAILABLE: HTTPStatus.BAD_GATEWAY,
    Reason.FETCH_INCOMPLETE: HTTPStatus.BAD_GATEWAY,
    Reason.FETCH_TOO_SLOW: HTTPStatus.GATEWAY_TIMEOUT,
    Reason.UPLOAD_EXPIRED: HTTPStatus.GONE,
    Reason.UPLOAD_FINISHED: HTTPStatus.CONFLICT,
    Reason.UPLOAD_PROTOCOL_UNSUPPORTED: HTTPStatus.PRECONDITION_FAILED,
    Reason.UPLOAD_CHECKSUM_WRONG: CHECKSUM_MISMATCH,
    Reason.JOB_NOT_RETRYABLE: HTTPStatus.CONFLICT,
    Reason.AUDIO_NOT_READY: HTTPStatus.CONFLICT,
    Reason.WAVEFORM_NOT_READY: HTTPStatus.CONFLICT,
    Reason.RESULTS_MISSING: HTTPStatus.CONFLICT,
    Reason.RESULTS_NOT_READY: HTTPStatus.CONFLICT,
}


@dataclass(kw_only=True, frozen=True, slots=True)
class ProblemDocument:
    """An error, as RFC 9457 has it.

    Attributes:
        type: The reason as a URN.
        title: What the status is called.
        status: The HTTP status.
        detail: One sentence: what is wrong and what to do next.
        reason: The reason, which programs decide by; docs/reasons.md lists all.
        fields: The problem with each invalid field.
        limit: The limit that was reached, if any.
        retry_after_seconds: When to try again, if that is known.
    """

    type: str
    title: str
    status: int
    detail: str
    reason: str
    fields: Mapping[str, str] = field(default_factory=dict)
    limit: str = ""
    retry_after_seconds: int | None = None


def of_statuses(meanings: Mapping[int, str]) -> Mapping[int, ResponseSpec]:
    """The documentation of errors, by status and what each means."""
    return {
        status: ResponseSpec(
            data_container=ProblemDocument,
            description=meaning,
            media_type=MEDIA_TYPE,
            generate_examples=False,
        )
        for status, meaning in meanings.items()
    }


RESPONSES = of_statuses(
    {
        HTTPStatus.BAD_REQUEST: "The request is wrong; `fields` says where.",
        HTTPStatus.UNAUTHORIZED: "Nobody says who calls, or the credentials are wrong.",
        HTTPStatus.FORBIDDEN: "The caller may not do this.",
        HTTPStatus.NOT_FOUND: "There is no such job, template or moment.",
        HTTPStatus.CONFLICT: "What is there does not allow it.",
        HTTPStatus.TOO_MANY_REQUESTS: "A limit is reached; `Retry-After` says when to try again.",
        HTTPStatus.SERVICE_UNAVAILABLE: "The mesh cannot be reached; try again.",
    }
)
"""The errors of every route, for its documentation."""


def status_of(reason: str, code: Code) -> int:
    """The HTTP status of an error."""
    return BY_REASON.get(reason) or OUTCOMES[code].http


def document_of(error: Exception) -> ProblemDocument:
    """The document of an error; of one that nobody foresaw, without what it says."""
    match error:
        case ClientError():
            retry = error.retry_after
            return _document(
                status_of(error.reason, Code[error.code.name]),
                error.reason or Reason.INTERNAL,
                error.message,
                fields=error.fields,
                limit=error.limit,
                retry_after_seconds=math.ceil(retry.total_seconds()) if retry else None,
            )
        case StageError():
            fields = {error.field: error.message} if error.field else None
            status = status_of(error.reason, error.code)
            return _document(status, error.reason, error.message, fields=fields)
        case HTTPException():
            return _of_framework(error)
    log.error("request.failed", exc_info=error)
    return _document(
        HTTPStatus.INTERNAL_SERVER_ERROR,
        Reason.INTERNAL,
        "The request failed by a fault of the web part; its log has the details.",
    )


def respond(_: Request, error: Exception) -> Response[ProblemDocument]:
    """The response to a request that failed."""
    document = document_of(error)
    return Response(
        document,
        status_code=document.status,
        media_type=MEDIA_TYPE,
        headers=headers_of(error, document),
    )


def headers_of(error: Exception, document: ProblemDocument) -> dict[str, str]:
    """The headers of the response to a request that failed."""
    headers = {}
    if document.retry_after_seconds is not None:
        headers["retry-after"] = str(document.retry_after_seconds)
    if document.status == HTTPStatus.UNAUTHORIZED:
        headers["www-authenticate"] = "Bearer"
    if isinstance(error, HTTPException) and error.headers:
        headers |= {name: value for name, value in error.headers.items() if name.lower() == "allow"}
    return headers


def _of_framework(error: HTTPException) -> ProblemDocument:
    """The document of an error of the router or of the parser of requests."""
    if error.detail == CLIENT_LEFT:
        # Nobody reads it; such a request is no fault of the web part, and is not logged as one.
        detail = "The request broke off before its end; send it again."
        return _document(HTTPStatus.BAD_REQUEST, Reason.UPLOAD_INCOMPLETE, detail)
    status = HTTPStatus(error.status_code)
    extra = error.extra if isinstance(error.extra, list) else []
    fields = {
        str(each["key"]): str(each["message"])
        for each in extra
        if isinstance(each, dict) and "key" in each and "message" in each
    }
    match status:
        case HTTPStatus.NOT_FOUND:
            detail = "There is nothing at this address; /docs lists what there is."
            return _document(status, Reason.ROUTE_NOT_FOUND, detail)
        case HTTPStatus.METHOD_NOT_ALLOWED:
            detail = "This address does not take this method; /docs lists what there is."
            return _document(status, Reason.ROUTE_NOT_FOUND, detail)
        case HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
            detail = "The request is larger than this address takes; send less."
            return _document(status, Reason.REQUEST_TOO_LARGE, detail)
        case _ if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            log.error("request.failed", exc_info=error)
            detail = "The request failed by a fault of the web part; its log has the details."
            return _document(status, Reason.INTERNAL, detail)
    named = f" ({', '.join(fields)})" if fields else ""
    return _document(
        status,
        Reason.REQUEST_UNREADABLE,
        f"The request cannot be read{named}; send it as /docs says.",
        fields=fields,
    )


def _document(
    status: int,
    reason: str,
    detail: str,
    *,
    fields: Mapping[str, str] | None = None,
    limit: str = "",
    retry_after_seconds: int | None = None,
) -> ProblemDocument:
    return ProblemDocument(
        type=f"urn:maie:reason:{reason}",
        title="Checksum Mismatch" if status == CHECKSUM_MISMATCH else HTTPStatus(status).phrase,
        status=status,
        detail=detail,
        reason=reason,
        fields=fields or {},
        limit=limit,
        retry_after_seconds=retry_after_seconds,
    )
