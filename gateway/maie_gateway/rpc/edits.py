"""EditService: corrected transcripts."""

from __future__ import annotations

from typing import Any

from maie.edit.v1 import edit_pb2 as edit
from maie.edit.v1 import edit_pb2_grpc
from maie_core.caller import current_caller
from maie_core.trace_context import current_traceparent
from maie_gateway.intake.revision_summaries import RevisionSummaries
from maie_gateway.intake.revisions import Revisions
from maie_gateway.rpc.job_ids import checked_job_id


class EditService(edit_pb2_grpc.EditServiceServicer):
    """Serves maie.edit.v1.EditService; callers see their tenant's jobs only."""

    def __init__(self, revisions: Revisions, summaries: RevisionSummaries) -> None:
        self._revisions = revisions
        self._summaries = summaries

    async def SaveRevision(
        self, request: edit.SaveRevisionRequest, context: Any
    ) -> edit.SaveRevisionResponse:
        """Saves a corrected transcript as the next revision."""
        checked_job_id(request.job_id)
        saved = await self._revisions.save(current_caller(), request)
        return edit.SaveRevisionResponse(revision=saved)

    async def GetRevision(
        self, request: edit.GetRevisionRequest, context: Any
    ) -> edit.GetRevisionResponse:
        """Gets a revision with its text."""
        revision = request.revision if request.HasField("revision") else None
        tenant = current_caller().tenant
        return await self._revisions.get(tenant, checked_job_id(request.job_id), revision)

    async def ListRevisions(
        self, request: edit.ListRevisionsRequest, context: Any
    ) -> edit.ListRevisionsResponse:
        """Lists the revisions of a transcript, newest first."""
        tenant = current_caller().tenant
        found = await self._revisions.listed(tenant, checked_job_id(request.job_id))
        return edit.ListRevisionsResponse(revisions=found)

    async def RevertRevision(
        self, request: edit.RevertRevisionRequest, context: Any
    ) -> edit.RevertRevisionResponse:
        """Saves a new revision that is equal to an older one."""
        checked_job_id(request.job_id)
        saved = await self._revisions.revert(current_caller(), request)
        return edit.RevertRevisionResponse(revision=saved)

    async def SummarizeRevision(
        self, request: edit.SummarizeRevisionRequest, context: Any
    ) -> edit.SummarizeRevisionResponse:
        """Begins a job that summarises a revision."""
        checked_job_id(request.job_id)
        begun = await self._summaries.begin(current_caller().tenant, request, current_traceparent())
        return edit.SummarizeRevisionResponse(summary_job_id=begun.job_id)
