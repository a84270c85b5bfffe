"""Copies of the templates of summaries, one for each job."""

from __future__ import annotations

from maie.common.v1 import types_pb2 as common
from maie_runtime import folders
from maie_runtime.blobs import Blobs
from maie_templates import TemplateLibrary


class Snapshots:
    """Stores the template of a job as it is when the job is accepted.

    Args:
        blobs: The object store.
        templates: The templates.
    """

    def __init__(self, blobs: Blobs, templates: TemplateLibrary) -> None:
        self._blobs = blobs
        self._templates = templates

    def check(self, template_id: str) -> None:
        """Refuses a template that is not there.

        Raises:
            StageError: NOT_FOUND with TEMPLATE_NOT_FOUND.
        """
        self._templates.get(template_id)

    async def store(self, job_id: str, template_id: str) -> tuple[common.Blob | None, str]:
        """Stores a copy of a template; returns it and the template's SHA-256.

        Args:
            job_id: The job.
            template_id: The template; empty for none.

        Raises:
            StageError: NOT_FOUND with TEMPLATE_NOT_FOUND, or UNAVAILABLE.
        """
        if not template_id:
            return None, ""
        template = self._templates.get(template_id).to_message()
        prefix = f"{folders.of_job(job_id)}/template"
        return await self._blobs.put_message(prefix, template), template.sha256
