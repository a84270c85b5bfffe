"""Corrected transcripts, which are kept beside what was made."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from maie.edit.v1 import edit_pb2 as edit
from maie.edit.v1 import edit_pb2_grpc as edit_grpc
from maie_client.asking import Ask
from maie_client.text import sendable


class Revisions:
    """Saves and reads revisions of transcripts; `Client.revisions` has it.

    Revision 0 is the transcript as it was made. Every method raises ClientError, such as
    NOT_FOUND with REVISION_NOT_FOUND.
    """

    def __init__(self, stub: Callable[[], edit_grpc.EditServiceStub], ask: Ask) -> None:
        self._stub = stub
        self._ask = ask

    async def save(
        self, job_id: str, base_revision: int, edits: Iterable[edit.SegmentEdit]
    ) -> edit.Revision:
        """Saves a corrected transcript as the next revision.

        Args:
            job_id: The job.
            base_revision: The revision that was corrected, the newest one.
            edits: The corrections.

        Raises:
            ClientError: Also ABORTED with REVISION_OUTDATED: somebody saved one meanwhile.
        """
        request = edit.SaveRevisionRequest(
            job_id=sendable(job_id), base_revision=base_revision, edits=edits
        )
        return (await self._ask(self._stub().SaveRevision, request)).revision

    async def get(self, job_id: str, revision: int | None = None) -> edit.GetRevisionResponse:
        """Returns a revision with its text; the newest one where None is named."""
        request = edit.GetRevisionRequest(job_id=sendable(job_id), revision=revision)
        return await self._ask(self._stub().GetRevision, request)

    async def list(self, job_id: str) -> list[edit.Revision]:
        """Returns the revisions without their text, newest first; not revision 0."""
        request = edit.ListRevisionsRequest(job_id=sendable(job_id))
        return list((await self._ask(self._stub().ListRevisions, request)).revisions)

    async def revert(self, job_id: str, base_revision: int, revision: int) -> edit.Revision:
        """Saves a new revision that is equal to an older one.

        Args:
            job_id: The job.
            base_revision: The newest revision.
            revision: The older one.

        Raises:
            ClientError: As `save`.
        """
        request = edit.RevertRevisionRequest(
            job_id=sendable(job_id), base_revision=base_revision, revision=revision
        )
        return (await self._ask(self._stub().RevertRevision, request)).revision

    async def summarize(
        self, job_id: str, *, revision: int | None = None, template_id: str = ""
    ) -> str:
        """Summarises a revision in a job of its own; returns the id of that once it is accepted.

        Args:
            job_id: The job with the transcript.
            revision: The revision; None: the newest one.
            template_id: The template to fill; empty: that of the job.
        """
        request = edit.SummarizeRevisionRequest(
            job_id=sendable(job_id), revision=revision, template_id=sendable(template_id)
        )
        begun: edit.SummarizeRevisionResponse = await self._ask(
            self._stub().SummarizeRevision, request
        )
        return begun.summary_job_id
