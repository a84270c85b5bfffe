"""UploadService: recordings over connections that break."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from maie.upload.v1 import upload_pb2 as upload
from maie.upload.v1 import upload_pb2_grpc
from maie_core.caller import current_caller
from maie_core.trace_context import current_traceparent
from maie_gateway.audit.about import is_about
from maie_gateway.conductor import job_view
from maie_gateway.uploads.finishing import Finishing
from maie_gateway.uploads.uploads import Uploads


class UploadService(upload_pb2_grpc.UploadServiceServicer):
    """Serves maie.upload.v1.UploadService; callers see their tenant's uploads only."""

    def __init__(self, uploads: Uploads, finishing: Finishing) -> None:
        self._uploads = uploads
        self._finishing = finishing

    async def BeginUpload(
        self, request: upload.BeginUploadRequest, context: Any
    ) -> upload.BeginUploadResponse:
        """Begins an upload."""
        begun = await self._uploads.begin(current_caller().tenant, request)
        is_about(job_id=begun.upload_id)
        return upload.BeginUploadResponse(upload=begun)

    async def AppendUpload(
        self, request_iterator: AsyncIterator[upload.AppendUploadRequest], context: Any
    ) -> upload.AppendUploadResponse:
        """Appends bytes to an upload."""
        appended = await self._uploads.append(current_caller(), request_iterator)
        return upload.AppendUploadResponse(upload=appended)

    async def GetUpload(
        self, request: upload.GetUploadRequest, context: Any
    ) -> upload.GetUploadResponse:
        """Returns how far an upload is, and the job that it became."""
        found = await self._uploads.get(current_caller().tenant, request.upload_id)
        return upload.GetUploadResponse(upload=found)

    async def FinishUpload(
        self, request: upload.FinishUploadRequest, context: Any
    ) -> upload.FinishUploadResponse:
        """Makes a job of a complete upload."""
        made = await self._finishing.finish(current_caller(), request, current_traceparent())
        is_about(job_id=made.job_id)
        return upload.FinishUploadResponse(job=job_view(made))

    async def DeleteUpload(
        self, request: upload.DeleteUploadRequest, context: Any
    ) -> upload.DeleteUploadResponse:
        """Removes an upload and its bytes."""
        await self._uploads.delete(current_caller().tenant, request.upload_id)
        is_about(job_id=request.upload_id)
        return upload.DeleteUploadResponse()
