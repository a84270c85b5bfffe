"""Errors about profiles of voices."""

from __future__ import annotations

from maie_core.errors import Code, StageError, invalid
from maie_core.limits import MAX_VOICE_ENROLLMENTS, MIN_CLEAN_SPEECH_SECONDS
from maie_core.reasons import Reason


def off(tenant: str) -> StageError:
    """The error for a tenant that may not enrol or find voices."""
    return StageError(
        Code.FAILED_PRECONDITION,
        Reason.VOICES_OFF,
        f"Voices are off for the tenant {tenant}: who looks after the mesh can allow them with "
        f"`maie tenants limit {tenant} --set voices=100`, once the people and the law agree.",
    )


def not_found(voice_id: str) -> StageError:
    """The error for a profile that does not exist for the caller."""
    return StageError(
        Code.NOT_FOUND,
        Reason.VOICE_NOT_FOUND,
        f"There is no voice {voice_id}; `maie voices list` shows those there are.",
        field="voice_id",
    )


def outdated(voice_id: str, revision: int) -> StageError:
    """The error for a change on top of a revision that is not the newest one."""
    return StageError(
        Code.ABORTED,
        Reason.VOICE_OUTDATED,
        f"Somebody changed the voice {voice_id} meanwhile: its revision is {revision}. Look at "
        "what is there, and change it again on top of that.",
        field="base_revision",
    )


def too_many(tenant: str, most: int) -> StageError:
    """The error for a new profile of a tenant that has the most."""
    return StageError(
        Code.FAILED_PRECONDITION,
        Reason.VOICES_FULL,
        f"The tenant {tenant} has {most} voices, which is all that it may have; delete one that "
        "nobody needs, or ask the operator for more.",
    )


def too_many_recordings(voice_id: str) -> StageError:
    """The error for another recording of a profile that has the most."""
    return StageError(
        Code.FAILED_PRECONDITION,
        Reason.VOICES_FULL,
        f"The voice {voice_id} was enrolled from {MAX_VOICE_ENROLLMENTS} recordings, which is all "
        "that it may have; it is known well enough, or else delete it and enrol it anew.",
    )


def too_short(speaker: str, found: float) -> StageError:
    """The error for a speaker with too little clean speech, in seconds."""
    return StageError(
        Code.FAILED_PRECONDITION,
        Reason.VOICE_TOO_SHORT,
        f"There are {found:.1f} s of {speaker} in which nobody else speaks, and a voice needs "
        f"{MIN_CLEAN_SPEECH_SECONDS:g} s; choose more, or another recording.",
        field="speaker",
    )


def not_ready(job_id: str) -> StageError:
    """The error for a job whose speakers are not told apart yet."""
    return StageError(
        Code.FAILED_PRECONDITION,
        Reason.VOICES_NOT_READY,
        f"The speakers of job {job_id} are not told apart yet; ask again when it is complete.",
        field="job_id",
    )


def missing(job_id: str, why: str) -> StageError:
    """The error for a job of which no voices are stored.

    Args:
        job_id: The job.
        why: The cause and what to do, to be put behind "of job JOB: ".
    """
    return StageError(
        Code.FAILED_PRECONDITION,
        Reason.VOICES_MISSING,
        f"No voices are stored of job {job_id}: {why}.",
        field="job_id",
    )


def corrupt(voice_id: str) -> StageError:
    """The error for a stored profile that cannot be read."""
    return StageError(
        Code.DATA_LOSS,
        Reason.VOICE_CORRUPT,
        f"What is stored of the voice {voice_id} cannot be read; delete it and enrol it again.",
    )


def request_id_reused(voice_id: str) -> StageError:
    """The error for a request id that was used for another enrolment."""
    return StageError(
        Code.ALREADY_EXISTS,
        Reason.REQUEST_ID_REUSED,
        f"This request id belongs to the voice {voice_id}, which was enrolled otherwise or changed "
        "since; use a new id for each voice.",
        field="request_id",
    )


def wrong(field: str, sentence: str) -> StageError:
    """The error for a field with a value that cannot be used."""
    return invalid(Reason.FIELD_INVALID, sentence, field=field)
