"""The routes of tus."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from http import HTTPStatus
from typing import Annotated

from litestar import HttpMethod, MediaType, Request, Response
from litestar.openapi import ResponseSpec
from litestar.params import FromPath, HeaderParameter

from maie.upload.v1 import upload_pb2 as upload
from maie_client import Client
from maie_core.errors import invalid
from maie_core.reasons import Reason
from maie_web.callers import CallersClient
from maie_web.handlers import delete, patch, post, route
from maie_web.problems import CHECKSUM_MISMATCH, of_statuses
from maie_web.routes.process import RequestId, config_from
from maie_web.tus import metadata
from maie_web.tus.checksums import Checksum
from maie_web.tus.headers import (
    ABILITIES,
    VERSIONS,
    check_content_type,
    check_version,
    count_of,
    headers_of,
    job_headers,
)
from maie_web.uploads import form_of, lingering

TAGS = ["resumable uploads"]
_MEANINGS = {
    HTTPStatus.GONE: "The upload has expired.",
    HTTPStatus.PRECONDITION_FAILED: "The request is of another version of tus.",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "The recording is too large, or larger than said.",
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE: "The content type is wrong, or it is no recording.",
    CHECKSUM_MISMATCH: "The bytes are not those of their checksum; none of them was kept.",
}
RESPONSES = of_statuses(_MEANINGS)
DONE = {
    **RESPONSES,
    int(HTTPStatus.NO_CONTENT): ResponseSpec(None, description="It is done; headers say more."),
}

Length = Annotated[str, HeaderParameter(name="upload-length", description="The size in bytes.")]
Offset = Annotated[
    str, HeaderParameter(name="upload-offset", description="How many bytes the upload has.")
]
Metadata = Annotated[
    str,
    HeaderParameter(
        name="upload-metadata",
        description="`filename` and the fields of `POST /v1/process`, with values in Base64.",
    ),
]
Sum = Annotated[
    str,
    HeaderParameter(
        name="upload-checksum", description="An algorithm and the checksum of the body in Base64."
    ),
]
Version = Annotated[
    str, HeaderParameter(name="tus-resumable", description="The version of tus: 1.0.0.")
]


@route(
    ["/v1/uploads", "/v1/uploads/{upload_id:str}"],
    http_method=[HttpMethod.OPTIONS],
    summary="Get what of tus is spoken",
    tags=TAGS,
    status_code=HTTPStatus.NO_CONTENT,
    responses=DONE,
)
async def abilities() -> Response[None]:
    """Gives the version and the extensions of tus that are spoken here."""
    return Response(None, status_code=HTTPStatus.NO_CONTENT, headers=ABILITIES)


@post(
    "/v1/uploads",
    summary="Begin a resumable upload",
    tags=TAGS,
    media_type=MediaType.TEXT,
    status_code=HTTPStatus.CREATED,
    request_max_body_size=None,
    responses=RESPONSES,
)
async def begin(
    request: Request,
    client: CallersClient,
    length: Length = "",
    version: Version = "",
    sent: Metadata = "",
    checksum: Sum = "",
    request_id: RequestId = "",
) -> Response[str]:
    """Makes an upload, whose address is in `Location`.

    `Upload-Metadata` says what to do with the recording. Bytes may come along with the content type
    `application/offset+octet-stream`; the last of them make the job. In place of the header, a form
    (`multipart/form-data`) may have the same fields, which a text that was read is too long for
    otherwise; bytes come afterwards.
    """
    check_version(version)
    content_type = request.headers.get("content-type", "")
    has_form = content_type.startswith("multipart/form-data")
    fields = await _fields(request) if has_form else metadata.parsed(sent)
    # The text of a reading is shown to nobody.
    shown = {key: values for key, values in fields.items() if key != "reading_text"}
    config = config_from(
        {key: value for key, value in fields.items() if key not in metadata.ABOUT_THE_FILE},
        metadata.filename_in(fields),
        request_id,
    )
    begun = await client.uploads.begin(
        config,
        size_bytes=count_of(length, "upload-length"),
        client_metadata=metadata.written(shown) if has_form or shown != fields else sent,
    )
    headers = headers_of(begun)
    if content_type and not has_form:
        check_content_type(request)
        headers = await _appended(request, client, begun, checksum)
    # A job is named by its own header here: `Location` is the upload.
    headers |= {"location": f"/v1/uploads/{begun.upload_id}"}
    return _answer(HTTPStatus.CREATED, headers)


async def _fields(request: Request) -> Mapping[str, Sequence[str]]:
    """The fields of a form without a file.

    Raises:
        StageError: INVALID_ARGUMENT with REQUEST_UNREADABLE or REQUEST_TOO_LARGE.
    """
    async with form_of(request) as form:
        if await form.until_file():
            raise invalid(
                Reason.REQUEST_UNREADABLE,
                "The form has the recording; send it to /v1/process, or append it to the upload.",
                field="file",
            )
        return form.fields


@route(
    "/v1/uploads/{upload_id:str}",
    http_method=[HttpMethod.HEAD],
    summary="Get how far an upload is",
    tags=TAGS,
    media_type=MediaType.TEXT,
    status_code=HTTPStatus.OK,
    responses=RESPONSES,
)
async def offset(
    request: Request, client: CallersClient, upload_id: FromPath[str], version: Version = ""
) -> Response[str]:
    """Gives in `Upload-Offset` where to go on, and in `Maie-Job-Id` the job of a whole upload.

    An upload that is whole and no job yet, since a part of the mesh died meanwhile, is made one.
    """
    check_version(version)
    found = await client.uploads.get(upload_id)
    headers = headers_of(found)
    if _is_whole(found) and not found.job_id:
        headers |= job_headers((await client.uploads.finish(upload_id)).job_id)
    return _answer(HTTPStatus.OK, headers)


@patch(
    "/v1/uploads/{upload_id:str}",
    summary="Append to an upload",
    tags=TAGS,
    status_code=HTTPStatus.NO_CONTENT,
    responses=DONE,
    request_max_body_size=None,
)
async def append(
    request: Request,
    client: CallersClient,
    upload_id: FromPath[str],
    place: Offset = "",
    version: Version = "",
    checksum: Sum = "",
) -> Response[None]:
    """Appends the body at `Upload-Offset`. The last bytes make the job, which `Location` names.

    What comes before a break is kept, unless there is an `Upload-Checksum`.
    """
    check_version(version)
    check_content_type(request)
    at = upload.Upload(upload_id=upload_id, offset_bytes=count_of(place, "upload-offset"))
    headers = await _appended(request, client, at, checksum)
    return Response(None, status_code=HTTPStatus.NO_CONTENT, headers=headers)


@delete(
    "/v1/uploads/{upload_id:str}",
    summary="Remove an upload",
    tags=TAGS,
    status_code=HTTPStatus.NO_CONTENT,
    responses=DONE,
)
async def remove(
    request: Request, client: CallersClient, upload_id: FromPath[str], version: Version = ""
) -> Response[None]:
    """Removes an upload that is no job, and its bytes."""
    check_version(version)
    await client.uploads.delete(upload_id)
    return Response(None, status_code=HTTPStatus.NO_CONTENT, headers=VERSIONS)


@post(
    "/v1/uploads/{upload_id:str}",
    summary="Append to an upload, or remove it",
    tags=TAGS,
    status_code=HTTPStatus.NO_CONTENT,
    responses=DONE,
    request_max_body_size=None,
)
async def overridden(
    request: Request,
    client: CallersClient,
    upload_id: FromPath[str],
    place: Offset = "",
    version: Version = "",
    checksum: Sum = "",
) -> Response[None]:
    """Does what `X-HTTP-Method-Override` says, for clients that can send no PATCH or DELETE."""
    match request.headers.get("x-http-method-override", "").upper():
        case HttpMethod.PATCH:
            return await append.fn(request, client, upload_id, place, version, checksum)
        case HttpMethod.DELETE:
            return await remove.fn(request, client, upload_id, version)
    raise invalid(
        Reason.FIELD_INVALID,
        "The header X-HTTP-Method-Override is neither PATCH nor DELETE; send one of them.",
        field="x-http-method-override",
    )


ROUTES = (abilities, begin, offset, append, remove, overridden)


async def _appended(
    request: Request, client: Client, at: upload.Upload, checksum: str
) -> dict[str, str]:
    """Appends the body of a request, and makes the job where it was the last."""
    pieces: AsyncIterator[bytes] = request.stream()
    if checksum:
        pieces = Checksum(checksum).checked(pieces)
    async with lingering(request):
        now = await client.uploads.append(
            at.upload_id, at.offset_bytes, pieces, all_or_nothing=bool(checksum)
        )
    headers = headers_of(now)
    if _is_whole(now):
        headers |= job_headers((await client.uploads.finish(now.upload_id)).job_id)
    return headers


def _answer(status: HTTPStatus, headers: dict[str, str]) -> Response[str]:
    """An answer that is all in its headers, of a status that may have content."""
    return Response("", status_code=status, media_type=MediaType.TEXT, headers=headers)


def _is_whole(found: upload.Upload) -> bool:
    return found.HasField("size_bytes") and found.offset_bytes == found.size_bytes
