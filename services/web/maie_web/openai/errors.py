"""Errors in OpenAI's form.

Reference: https://platform.openai.com/docs/guides/error-codes
"""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from litestar import Request, Response

from maie_core.errors import StageError, invalid
from maie_core.reasons import Reason
from maie_web.problems import ProblemDocument, document_of, headers_of

INVALID_REQUEST = "invalid_request_error"
SERVER_ERROR = "server_error"
# The codes that OpenAI has for what the contract has a reason for.
CODES: Mapping[str, str] = {
    Reason.CREDENTIALS_MISSING: "invalid_api_key",
    Reason.CREDENTIALS_INVALID: "invalid_api_key",
    Reason.MODEL_UNKNOWN: "model_not_found",
    Reason.AUDIO_HOURS_SPENT: "insufficient_quota",
    Reason.FIELD_INVALID: "invalid_value",
    Reason.OPTION_OUT_OF_RANGE: "invalid_value",
    Reason.LANGUAGE_INVALID: "invalid_value",
    Reason.OPTION_NOT_SUPPORTED: "unsupported_parameter",
}
# The fields of OpenAI's forms by the contract's.
PARAMS: Mapping[str, str] = {
    "language_code": "language",
    "initial_prompt": "prompt",
    "temperatures": "temperature",
    "decoding": "temperature",
    "min_silence": "chunking_strategy",
    "speech_pad": "chunking_strategy",
    "threshold": "chunking_strategy",
    "silence": "chunking_strategy",
    "text": "input",
}


def respond(_: Request, error: Exception) -> Response[dict[str, Any]]:
    """The response to a request that failed."""
    document = document_of(error)
    return Response(
        {"error": error_of(document)},
        status_code=document.status,
        headers=headers_of(error, document),
    )


def error_of(document: ProblemDocument, params: Mapping[str, str] = PARAMS) -> dict[str, Any]:
    """The fields of an error.

    Besides OpenAI's, it has the `reason` of the contract (docs/reasons.md).

    Args:
        document: The error.
        params: OpenAI's names of fields by the contract's.
    """
    status = HTTPStatus(document.status)
    return {
        "message": document.detail,
        "type": _type(status),
        "param": _param(document.fields, params),
        "code": _code(document.reason, status),
        "reason": document.reason,
    }


def stream_error(error: Exception) -> dict[str, Any]:
    """The last event of a stream that fails."""
    return {"error": error_of(document_of(error))}


def unsupported(param: str, what: str) -> StageError:
    """The error for what OpenAI offers, and the mesh does not."""
    return invalid(Reason.OPTION_NOT_SUPPORTED, f"{what}; leave `{param}` out.", field=param)


def _type(status: HTTPStatus) -> str:
    if status is HTTPStatus.TOO_MANY_REQUESTS:
        return "rate_limit_error"
    return SERVER_ERROR if status >= HTTPStatus.INTERNAL_SERVER_ERROR else INVALID_REQUEST


def _param(fields: Mapping[str, str], params: Mapping[str, str]) -> str | None:
    for field in fields:
        name = field.rpartition(".")[2].partition("[")[0]
        return params.get(name, name)
    return None


def _code(reason: str, status: HTTPStatus) -> str:
    if status is HTTPStatus.TOO_MANY_REQUESTS and reason not in CODES:
        return "rate_limit_exceeded"
    return CODES.get(reason, reason.lower())
