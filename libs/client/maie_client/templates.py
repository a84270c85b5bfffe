"""Gets the template of a job's summary, for the order of its parts."""

from __future__ import annotations

from maie.job.v1 import job_pb2 as job
from maie.summary.v1 import summary_pb2 as summary
from maie_client.client import Client
from maie_client.errors import ClientError


async def template_of(client: Client, done: job.Job) -> summary.Template | None:
    """The template of a job's summary; None without a summary, or if the template is deleted."""
    if not done.results.HasField("summary"):
        return None
    try:
        return await client.get_template(done.results.summary.template_id)
    except ClientError:
        return None  # the summary is then in alphabetical order
