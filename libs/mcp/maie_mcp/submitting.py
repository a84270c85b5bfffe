"""The tool that submits recordings of this machine."""

from __future__ import annotations

from typing import Annotated

from mcp.server.mcpserver import Context
from mcp.server.mcpserver.exceptions import ToolError
from pydantic import Field

from maie_client.config import JobOptions
from maie_mcp import views
from maie_mcp.answers import JobEntry
from maie_mcp.errors import tool_errors
from maie_mcp.folders import Folders
from maie_mcp.tools import ClientOf


class SubmittingTools:
    """Tools that make jobs.

    Args:
        client_of: Gives the client of a request.
        folders: Where recordings may be read.
    """

    def __init__(self, client_of: ClientOf, folders: Folders) -> None:
        self._client_of = client_of
        self._folders = folders

    async def submit(
        self,
        ctx: Context,
        path: Annotated[
            str,
            Field(min_length=1, description="The recording, in a folder that the user allowed."),
        ],
        template_id: Annotated[
            str, Field(description="The template of the summary; empty: a transcript alone.")
        ] = "",
        language: Annotated[
            str, Field(description="The spoken language, such as de; empty: it is detected.")
        ] = "",
        name: Annotated[str, Field(description="What to call it; empty: the file's name.")] = "",
    ) -> JobEntry:
        """Submits a recording of this machine to be transcribed and, with a template, summarised.

        Returns at once; get_status says when it is done.
        """
        options: JobOptions = {
            "features": ["clean_transcript", *(["summary"] if template_id else [])],
            "template_id": template_id,
            "language_code": language,
            "display_name": name,
        }
        file = self._folders.file(path)
        try:
            with tool_errors():
                return views.entry(await self._client_of(ctx).create_job(file, **options))
        except OSError as error:
            raise ToolError(f"The file cannot be read: {error.strerror}.") from error
