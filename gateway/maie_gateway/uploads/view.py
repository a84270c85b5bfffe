"""Uploads as clients see them."""

from __future__ import annotations

from maie.upload.v1 import record_pb2 as record
from maie.upload.v1 import upload_pb2 as upload
from maie_gateway.uploads.store import StoredUpload


def upload_view(stored: StoredUpload, request: record.UploadRequest) -> upload.Upload:
    """An upload, and what it is for where that is still there."""
    state = stored.state
    shown = upload.Upload(
        upload_id=stored.upload_id,
        offset_bytes=state.size_bytes if state.job_id else stored.offset,
        create_time=state.create_time,
        expire_time=state.expire_time,
        job_id=state.job_id,
        client_metadata=request.client_metadata,
    )
    if state.HasField("size_bytes"):
        shown.size_bytes = state.size_bytes
    return shown
