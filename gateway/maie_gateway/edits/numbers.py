"""The numbers of a transcript's revisions."""

from __future__ import annotations

from maie.edit.v1 import edit_pb2 as edit
from maie.job.v1 import record_pb2 as record
from maie_core.errors import Code, StageError
from maie_core.reasons import Reason


def known_revision(of: record.JobRecord, revision: int | None) -> int:
    """A revision that a transcript has; 0 is as it was made.

    Args:
        of: The job's record.
        revision: Its number; None for the newest one.

    Raises:
        StageError: NOT_FOUND with REVISION_NOT_FOUND.
    """
    newest = len(of.revisions)
    if revision is None:
        return newest
    if not 0 <= revision <= newest:
        raise StageError(
            Code.NOT_FOUND,
            Reason.REVISION_NOT_FOUND,
            f"The transcript of job {of.job_id} has the revisions 0 to {newest}; name one of them.",
        )
    return revision


def described(of: record.JobRecord, revision: int) -> edit.Revision:
    """A revision as clients see it; of revision 0, only its number."""
    if not revision:
        return edit.Revision()
    saved = of.revisions[revision - 1]
    shown = edit.Revision(
        revision=revision,
        save_time=saved.save_time,
        author=saved.author,
        changed_segments=saved.changed_segments,
    )
    if saved.HasField("reverted_to"):
        shown.reverted_to = saved.reverted_to
    return shown
