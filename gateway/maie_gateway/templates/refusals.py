"""Errors about templates of tenants."""

from __future__ import annotations

from maie_core.errors import Code, StageError
from maie_core.limits import MAX_TEMPLATE_IDS, MAX_TEMPLATE_VERSIONS, MAX_TEMPLATES
from maie_core.reasons import Reason


def outdated(template_id: str, newest: int) -> StageError:
    """The error for a save on top of a version that is not the newest one; 0: there is none."""
    now = f"its newest version is {newest}" if newest else "there is none now"
    return StageError(
        Code.ABORTED,
        Reason.TEMPLATE_OUTDATED,
        f"Somebody saved or deleted the template {template_id!r} meanwhile: {now}. Look at what is "
        "there, and save again on top of that.",
        field="base_version",
    )


def shipped(template_id: str) -> StageError:
    """The error for a change of a template that comes with the deployment."""
    return StageError(
        Code.FAILED_PRECONDITION,
        Reason.TEMPLATE_SHIPPED,
        f"The template {template_id!r} comes with the deployment, which alone can change it; save "
        "yours under another id.",
        field="template_id",
    )


def too_many() -> StageError:
    """The error for a new template of a tenant that has the most."""
    return StageError(
        Code.FAILED_PRECONDITION,
        Reason.TEMPLATES_FULL,
        f"A tenant may have {MAX_TEMPLATES} templates of its own, and {MAX_TEMPLATE_IDS} ids with "
        "those that it deleted; delete one that nobody needs, or use the id of a deleted one.",
    )


def too_many_versions(template_id: str) -> StageError:
    """The error for another version of a template that has the most."""
    return StageError(
        Code.FAILED_PRECONDITION,
        Reason.TEMPLATES_FULL,
        f"The template {template_id!r} has {MAX_TEMPLATE_VERSIONS} versions, which is all that it "
        "may have; save it under another id.",
    )


def version_not_found(template_id: str, version: int) -> StageError:
    """The error for a version that does not exist."""
    return StageError(
        Code.NOT_FOUND,
        Reason.TEMPLATE_VERSION_NOT_FOUND,
        f"The template {template_id!r} has no version {version}; list those there are.",
        field="version",
    )


def corrupt(template_id: str) -> StageError:
    """The error for a stored template that cannot be read."""
    return StageError(
        Code.DATA_LOSS,
        Reason.TEMPLATE_CORRUPT,
        f"What is stored of the template {template_id!r} cannot be read; save it under another id, "
        "and look for another program that writes to NATS.",
    )
