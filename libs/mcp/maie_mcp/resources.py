"""Results as resources, which people attach to a conversation."""

from __future__ import annotations

from mcp.server.mcpserver import Context
from mcp.server.mcpserver.exceptions import ResourceError, ResourceNotFoundError

from maie_client import ClientError, StatusCode
from maie_client.template_of_job import template_of
from maie_formats.writers import Finished, written
from maie_mcp.tools import ClientOf

TRANSCRIPT = "maie://jobs/{job_id}/transcript"
DOCUMENT = "maie://jobs/{job_id}/document"


class Resources:
    """The results of jobs as whole texts.

    Args:
        client_of: Gives the client of a request.
    """

    def __init__(self, client_of: ClientOf) -> None:
        self._client_of = client_of

    async def transcript(self, ctx: Context, job_id: str) -> str:
        """What was said, in paragraphs."""
        return await self._text(ctx, job_id, "txt")

    async def document(self, ctx: Context, job_id: str) -> str:
        """The summary with its times, and the transcript, as Markdown."""
        return await self._text(ctx, job_id, "md")

    async def _text(self, ctx: Context, job_id: str, format_: str) -> str:
        client = self._client_of(ctx)
        try:
            done = await client.get_job(job_id)
        except ClientError as error:
            kind = ResourceNotFoundError if error.code is StatusCode.NOT_FOUND else ResourceError
            raise kind(f"{error.message} ({error.reason})") from error
        template = await template_of(client, done)
        name = done.display_name or done.job_id
        finished = Finished(job=done, name=name, template=template)
        if not finished.is_readable:
            raise ResourceError(f"Job {job_id} has no results yet; ask get_status.")
        return written(finished, format_).decode()
