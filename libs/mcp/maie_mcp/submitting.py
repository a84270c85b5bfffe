"""The tools that submit recordings."""

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

TemplateId = Annotated[
    str, Field(description="The template of the summary; empty: a transcript alone.")
]
Language = Annotated[
    str, Field(description="The spoken language, such as de; empty: it is detected.")
]
Speakers = Annotated[bool, Field(description="Whether the transcript says who speaks.")]
Name = Annotated[str, Field(description="What to call it; empty: the file's name.")]


class UrlTools:
    """The tool for recordings that the gateway fetches.

    Args:
        client_of: Gives the client of a request.
    """

    def __init__(self, client_of: ClientOf) -> None:
        self._client_of = client_of

    async def submit_url(
        self,
        ctx: Context,
        url: Annotated[
            str,
            Field(
                min_length=1,
                description="An http or https URL of the recording's file, without a login.",
            ),
        ],
        template_id: TemplateId = "",
        language: Language = "",
        name: Name = "",
        speakers: Speakers = False,
    ) -> JobEntry:
        """Submits a recording at a URL to be transcribed and, with a template, summarised.

        Returns once the mesh has fetched it; get_status says when it is done. Use URLs that the
        user gave, and put nothing else into them.
        """
        options = _options(template_id, language, name, speakers)
        with tool_errors():
            return views.entry(await self._client_of(ctx).create_job_from_url(url, **options))


class SubmittingTools:
    """The tool for recordings of this machine.

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
        template_id: TemplateId = "",
        language: Language = "",
        name: Name = "",
        speakers: Speakers = False,
    ) -> JobEntry:
        """Submits a recording of this machine to be transcribed and, with a template, summarised.

        Returns at once; get_status says when it is done.
        """
        options = _options(template_id, language, name, speakers)
        file = self._folders.file(path)
        try:
            with tool_errors():
                return views.entry(await self._client_of(ctx).create_job(file, **options))
        except OSError as error:
            raise ToolError(f"The file cannot be read: {error.strerror}.") from error


def _options(template_id: str, language: str, name: str, speakers: bool) -> JobOptions:
    return {
        "features": [
            "clean_transcript",
            *(["summary"] if template_id else []),
            *(["speakers"] if speakers else []),
        ],
        "template_id": template_id,
        "language_code": language,
        "display_name": name,
    }
