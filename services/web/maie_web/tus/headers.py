"""The headers of tus, in requests and answers."""

from __future__ import annotations

from datetime import UTC
from email.utils import format_datetime
from http import HTTPStatus

from litestar import Request, Response

from maie.upload.v1 import upload_pb2 as upload
from maie_core.errors import Code, StageError, invalid
from maie_core.reasons import Reason
from maie_web import problems
from maie_web.problems import ProblemDocument
from maie_web.tus.checksums import ALGORITHMS

VERSION = "1.0.0"
VERSIONS = {"tus-resumable": VERSION}
CONTENT_TYPE = "application/offset+octet-stream"
EXTENSIONS = "creation,creation-with-upload,termination,expiration,checksum"
ABILITIES = {
    **VERSIONS,
    "tus-version": VERSION,
    "tus-extension": EXTENSIONS,
    "tus-checksum-algorithm": ",".join(ALGORITHMS),
}
MOST_BYTES = 2**63 - 1


def check_version(version: str) -> None:
    """Refuses requests of another version of tus.

    Raises:
        StageError: FAILED_PRECONDITION with UPLOAD_PROTOCOL_UNSUPPORTED.
    """
    if version != VERSION:
        raise StageError(
            Code.FAILED_PRECONDITION,
            Reason.UPLOAD_PROTOCOL_UNSUPPORTED,
            f"The request is not of tus {VERSION}; send the header Tus-Resumable: {VERSION}.",
        )


def check_content_type(request: Request) -> None:
    """Refuses bytes of another content type, as tus asks for.

    Raises:
        StageError: INVALID_ARGUMENT with UNSUPPORTED_FORMAT.
    """
    if request.headers.get("content-type") != CONTENT_TYPE:
        raise invalid(
            Reason.UNSUPPORTED_FORMAT,
            f"The bytes of an upload have the content type {CONTENT_TYPE}; send them with it.",
        )


def count_of(text: str, name: str) -> int:
    """The number of bytes that a header says.

    Raises:
        StageError: INVALID_ARGUMENT with FIELD_INVALID.
    """
    if not (text.isascii() and text.isdecimal()) or int(text[:20]) > MOST_BYTES:
        raise invalid(
            Reason.FIELD_INVALID, f"The header {name} is no number of bytes; send one.", field=name
        )
    return int(text)


def headers_of(found: upload.Upload) -> dict[str, str]:
    """The headers that say how far an upload is, and which job it is."""
    headers = {
        **VERSIONS,
        "cache-control": "no-store",
        "upload-offset": str(found.offset_bytes),
        "upload-length": str(found.size_bytes),
    }
    if found.client_metadata:
        headers["upload-metadata"] = found.client_metadata
    if found.job_id:
        return headers | job_headers(found.job_id)
    expires = found.expire_time.ToDatetime().replace(tzinfo=UTC)
    return headers | {"upload-expires": format_datetime(expires, usegmt=True)}


def job_headers(job_id: str) -> dict[str, str]:
    """The headers that say which job an upload is."""
    return {"location": f"/v1/jobs/{job_id}", "maie-job-id": job_id}


def respond(request: Request, error: Exception) -> Response[ProblemDocument]:
    """The response to a request that failed."""
    response = problems.respond(request, error)
    response.headers |= {**VERSIONS, "cache-control": "no-store"}
    if response.status_code == HTTPStatus.PRECONDITION_FAILED:
        response.headers["tus-version"] = VERSION
    offset = getattr(error, "offset_bytes", None)
    if offset is not None:
        response.headers["upload-offset"] = str(offset)
    return response
