"""How callers with the token of a share read its job."""

from __future__ import annotations

from pathlib import PurePath

from maie.job.v1 import job_pb2 as job
from maie.job.v1 import record_pb2 as record
from maie.summary.v1 import summary_pb2 as summary
from maie_core.caller import Caller, Scope
from maie_core.errors import Code, StageError
from maie_core.reasons import Reason
from maie_gateway.records.store import job_not_found
from maie_gateway.views.shared import shared_view, shown_template
from maie_gateway.views.stored_results import StoredResults


class SharedReading:
    """Shows jobs by shares.

    Args:
        stored: Reads the templates that jobs were given.
    """

    def __init__(self, stored: StoredResults) -> None:
        self._stored = stored

    async def view(self, of: record.JobRecord, full: job.Job, caller: Caller) -> job.Job:
        """What the caller sees of a job: all of it, unless it has a share of it.

        Args:
            of: The job's record.
            full: The job, with the newest revision of its transcript.
            caller: Who asks.

        Raises:
            StageError: As `StoredResults.get`.
        """
        if not caller.only_job:
            return full
        shown = shared_view(full)
        shown.shared.audio = Scope.SHARED_AUDIO in caller.scopes
        shown.shared.expire_time.FromMilliseconds(int((caller.expires_at or 0) * 1000))
        if full.results.HasField("summary") and of.HasField("template"):
            template = await self._stored.get(of.template, summary.Template)
            shown.shared.template.CopyFrom(shown_template(template))
        return shown


def check_may_read(caller: Caller, job_id: str) -> None:
    """Refuses another job than that of the caller's share, before anything is looked up.

    Raises:
        StageError: NOT_FOUND with JOB_NOT_FOUND.
    """
    if caller.only_job and caller.only_job != job_id:
        raise job_not_found(job_id)


def check_may_name_revisions(caller: Caller) -> None:
    """Refuses to show who has a share what was corrected since.

    Raises:
        StageError: PERMISSION_DENIED with SCOPE_MISSING.
    """
    if caller.only_job:
        raise StageError(
            Code.PERMISSION_DENIED,
            Reason.SCOPE_MISSING,
            "A share shows the newest revision of a transcript; name none.",
            field="revision",
        )


def check_may_hear(caller: Caller, source: int) -> None:
    """Refuses to give who has a share of a job other audio than its recording.

    Raises:
        StageError: PERMISSION_DENIED with SCOPE_MISSING.
    """
    if caller.only_job and source == job.AUDIO_SOURCE_DIGEST:
        raise StageError(
            Code.PERMISSION_DENIED,
            Reason.SCOPE_MISSING,
            "A share has the recording alone, and not its summary as speech.",
            field="source",
        )


def hide_filename(part: job.GetAudioResponse, of: record.JobRecord, caller: Caller) -> None:
    """Has a file carry the job's name, and its own ending, for who has a share of the job."""
    if caller.only_job and part.HasField("info"):
        ending = PurePath(part.info.filename).suffix
        name = of.display_name or of.job_id
        part.info.filename = name if name.endswith(ending) else f"{name}{ending}"
