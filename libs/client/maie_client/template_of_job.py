"""Gets the template of a job's summary, for the order of its parts."""

from __future__ import annotations

from maie.job.v1 import job_pb2 as job
from maie.summary.v1 import summary_pb2 as summary
from maie_client.client import Client
from maie_client.errors import ClientError


async def template_of(client: Client, done: job.Job) -> summary.Template | None:
    """The template of a job's summary as the job was given it; None without a summary.

    None also where the gateway is of a release that does not give it.
    """
    if not done.results.HasField("summary"):
        return None
    if done.HasField("shared"):
        return done.shared.template  # who has a share reads it with the job, and may ask no more
    try:
        return await client.templates.of_job(done.job_id)
    except ClientError:
        return None  # the summary is then in alphabetical order
