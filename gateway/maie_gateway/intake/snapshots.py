"""Copies of the templates of summaries, one for each job."""

from __future__ import annotations

from maie.common.v1 import types_pb2 as common
from maie.summary.v1 import summary_pb2 as summary
from maie_gateway.templates.choice import Templates
from maie_runtime import folders
from maie_runtime.blobs import Blobs


class Snapshots:
    """Stores the template of a job as it is when the job is accepted.

    Args:
        blobs: The object store.
        templates: The templates.
    """

    def __init__(self, blobs: Blobs, templates: Templates) -> None:
        self._blobs = blobs
        self._templates = templates

    async def check(self, tenant: str, template_id: str) -> None:
        """Refuses a template that is not there, or cannot be used.

        Raises:
            StageError: NOT_FOUND with TEMPLATE_NOT_FOUND, or as `Templates.checked`.
        """
        await self._templates.checked(tenant, template_id)

    async def store(
        self, tenant: str, job_id: str, template_id: str
    ) -> tuple[common.Blob | None, summary.Template]:
        """Stores a copy of a template; returns it and the template.

        Args:
            tenant: Whose job it is.
            job_id: The job.
            template_id: The template; empty for none.

        Raises:
            StageError: As `check`.
        """
        if not template_id:
            return None, summary.Template()
        template = await self._templates.get(tenant, template_id)
        prefix = f"{folders.of_job(job_id)}/template"
        return await self._blobs.put_message(prefix, template), template
