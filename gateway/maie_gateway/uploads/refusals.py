"""Why a resumable upload is refused."""

from __future__ import annotations

from maie_core.errors import Code, StageError, invalid
from maie_core.limit_names import Limit
from maie_core.reasons import Reason
from maie_gateway.intake.admission import RETRY_AFTER


def not_found() -> StageError:
    """The error for an upload that is not there, or of another tenant."""
    return StageError(
        Code.NOT_FOUND,
        Reason.UPLOAD_NOT_FOUND,
        "There is no such upload; it was removed, or never begun. Begin another one.",
        field="upload_id",
    )


def expired() -> StageError:
    """The error for an upload that had no bytes for too long."""
    return StageError(
        Code.FAILED_PRECONDITION,
        Reason.UPLOAD_EXPIRED,
        "The upload has expired, since no bytes came for too long; begin another one.",
    )


def finished() -> StageError:
    """The error for an upload that is a job, or is being made one."""
    return StageError(
        Code.FAILED_PRECONDITION,
        Reason.UPLOAD_FINISHED,
        "The upload is a job, or is being made one; get the upload to see its job.",
    )


def offset_wrong(offset: int) -> StageError:
    """The error for a client that counts on another number of bytes."""
    return StageError(
        Code.ABORTED,
        Reason.UPLOAD_OFFSET_WRONG,
        f"The upload has {offset} bytes; go on from there.",
        offset_bytes=offset,
    )


def longer_than_said(size: int) -> StageError:
    """The error for more bytes than the upload was begun with."""
    return StageError(
        Code.RESOURCE_EXHAUSTED,
        Reason.UPLOAD_TOO_LARGE,
        f"The upload was begun for {size} bytes, and more came; begin another one for the whole "
        "recording.",
    )


def incomplete(offset: int, size: int) -> StageError:
    """The error for an upload that lacks bytes."""
    return invalid(
        Reason.UPLOAD_INCOMPLETE,
        f"The upload has {offset} of {size} bytes; append the others first.",
    )


def too_many(most: int, tenant: str) -> StageError:
    """The error for a tenant with too many unfinished uploads."""
    return StageError(
        Code.RESOURCE_EXHAUSTED,
        Reason.UPLOADS_FULL,
        f"{most} resumable uploads of tenant {tenant} are unfinished already, the limit "
        f"{Limit.TENANT_UNFINISHED_UPLOADS}; finish or delete some.",
        retry_after=RETRY_AFTER,
        limit=Limit.TENANT_UNFINISHED_UPLOADS,
    )
