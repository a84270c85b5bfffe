"""Forms with a recording for the documentation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from litestar.openapi.spec import OpenAPIMediaType, OpenAPIType, RequestBody, Schema


def form_body(fields: Mapping[str, Schema], required: Sequence[str] = ("file",)) -> RequestBody:
    """The body of a request that is a form with a recording.

    Args:
        fields: The form's other fields.
        required: The fields that must be there.
    """
    file = Schema(
        type=OpenAPIType.STRING,
        content_media_type="application/octet-stream",
        description="The recording.",
    )
    form = Schema(
        type=OpenAPIType.OBJECT,
        required=list(required) or None,
        properties={"file": file, **fields},
    )
    return RequestBody(
        required=True, content={"multipart/form-data": OpenAPIMediaType(schema=form)}
    )
