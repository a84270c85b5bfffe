"""The tools that read."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Literal

from mcp.server.mcpserver import Context
from mcp.server.mcpserver.exceptions import ToolError
from pydantic import Field

from maie.job.v1 import job_pb2 as job
from maie_client import Client
from maie_client.template_of_job import template_of
from maie_mcp import views
from maie_mcp.answers import (
    JobPage,
    JobStatus,
    SearchResult,
    SummaryAnswer,
    TemplateEntry,
    TemplateList,
    TranscriptPage,
)
from maie_mcp.errors import tool_errors

ClientOf = Callable[[Context], Client]
"""Gives the client that acts for who makes a request."""
State = Literal[
    "PENDING",
    "PREPROCESSING",
    "PROCESSING_ASR",
    "PROCESSING_LLM",
    "COMPLETE",
    "FAILED",
    "CANCELLED",
]
JobId = Annotated[str, Field(description="The job, as search, list_jobs or submit name it.")]
Limit = Annotated[int, Field(ge=1, le=100, description="The most to return.")]
Speaker = Annotated[
    str, Field(description="Only recordings with a speaker of this name; empty for all.")
]
PageToken = Annotated[
    str, Field(description="The next_page_token of the page before; empty for the first.")
]


class ReadingTools:
    """Tools that change nothing.

    Args:
        client_of: Gives the client of a request.
    """

    def __init__(self, client_of: ClientOf) -> None:
        self._client_of = client_of

    async def search(
        self,
        ctx: Context,
        query: Annotated[
            str,
            Field(
                min_length=1,
                description='Words that must all be there; "in quotes" as they stand; with a star, '
                "a beginning (releas*).",
            ),
        ],
        speaker: Speaker = "",
        limit: Limit = 10,
        page_token: PageToken = "",
    ) -> SearchResult:
        """Finds recordings in which words were said or summarised, with the moments."""
        request = job.SearchJobsRequest(
            query=query, speaker=speaker, page_size=limit, page_token=page_token
        )
        with tool_errors():
            page: job.SearchJobsResponse = await self._client_of(ctx).page(request)
        hits = [views.hit(each) for each in page.hits]
        return SearchResult(hits=hits, next_page_token=page.next_page_token)

    async def list_jobs(
        self,
        ctx: Context,
        state: Annotated[State | None, Field(description="Only jobs in this state.")] = None,
        speaker: Speaker = "",
        limit: Limit = 20,
        page_token: PageToken = "",
    ) -> JobPage:
        """Lists recordings and live sessions, newest first, without their results."""
        states = [f"JOB_STATE_{state}"] if state else []
        request = job.ListJobsRequest(
            states=states, speaker=speaker, page_size=limit, page_token=page_token
        )
        with tool_errors():
            page: job.ListJobsResponse = await self._client_of(ctx).page(request)
        jobs = [views.entry(each) for each in page.jobs]
        return JobPage(jobs=jobs, next_page_token=page.next_page_token)

    async def get_status(self, ctx: Context, job_id: JobId) -> JobStatus:
        """Says how far a job is, and why it failed if it did."""
        return views.status(await self._job(ctx, job_id))

    async def get_transcript(
        self,
        ctx: Context,
        job_id: JobId,
        from_seconds: Annotated[
            float,
            Field(ge=0, description="Only what begins at this time of the recording or later."),
        ] = 0,
        until_seconds: Annotated[
            float | None, Field(ge=0, description="Only what begins before this time.")
        ] = None,
        page: Annotated[
            int,
            Field(ge=1, description="Which page; `pages` of the answer says how many there are."),
        ] = 1,
    ) -> TranscriptPage:
        """Reads what was said, in paragraphs with their times, in pages of about 5,000 tokens.

        For one topic of a long recording, use search first and read around its moments.
        """
        done = await self._job(ctx, job_id)
        if not views.status(done).has_transcript:
            raise ToolError("There is no transcript yet, or none was asked for; ask get_status.")
        found = views.transcript(done, from_seconds, until_seconds, page)
        if page > max(1, found.pages):
            raise ToolError(f"The last page of this range is {found.pages}; ask for one up to it.")
        return found

    async def get_summary(self, ctx: Context, job_id: JobId) -> SummaryAnswer:
        """Reads the summary of a recording: its parts, with the times where things were said."""
        done = await self._job(ctx, job_id)
        if not done.results.HasField("summary"):
            raise ToolError("There is no summary yet, or none was asked for; ask get_status.")
        with tool_errors():
            template = await template_of(self._client_of(ctx), done)
        return views.summary_answer(done, template)

    async def list_templates(self, ctx: Context) -> TemplateList:
        """Lists the templates that summaries fill."""
        with tool_errors():
            found = await self._client_of(ctx).list_templates()
        return TemplateList(
            templates=[
                TemplateEntry(
                    template_id=each.template_id,
                    name=each.title,
                    description=each.description,
                )
                for each in found
            ]
        )

    async def _job(self, ctx: Context, job_id: str) -> job.Job:
        with tool_errors():
            return await self._client_of(ctx).get_job(job_id)
