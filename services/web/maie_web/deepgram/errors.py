"""Errors in Deepgram's form.

Reference: https://developers.deepgram.com/docs/errors
"""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any
from uuid import uuid4

from litestar import Request, Response

from maie_core.errors import StageError, invalid
from maie_core.reasons import Reason
from maie_web.problems import ProblemDocument, document_of, headers_of

REQUEST_ID = "dg-request-id"
_CODES: Mapping[int, str] = {
    HTTPStatus.UNAUTHORIZED: "INVALID_AUTH",
    HTTPStatus.FORBIDDEN: "INSUFFICIENT_PERMISSIONS",
    HTTPStatus.TOO_MANY_REQUESTS: "TOO_MANY_REQUESTS",
}


def respond(_: Request, error: Exception) -> Response[dict[str, Any]]:
    """The response to a request that failed."""
    document = document_of(error)
    body = error_of(document)
    return Response(
        body,
        status_code=document.status,
        headers=headers_of(error, document) | {REQUEST_ID: body["request_id"]},
    )


def error_of(document: ProblemDocument) -> dict[str, Any]:
    """The fields of an error.

    Besides Deepgram's, it has the `reason` of the contract (docs/reasons.md).
    """
    return {
        "err_code": _CODES.get(document.status, HTTPStatus(document.status).phrase),
        "err_msg": document.detail,
        "request_id": str(uuid4()),
        "reason": document.reason,
    }


def unsupported(option: str, why: str) -> StageError:
    """The error for what Deepgram offers, and the mesh does not."""
    return invalid(Reason.OPTION_NOT_SUPPORTED, f"{why}; leave `{option}` out.", field=option)
