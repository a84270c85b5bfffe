"""What the call that a task serves is about, noted by its handler for the audit log."""

from __future__ import annotations

from contextvars import ContextVar
from dataclasses import dataclass


@dataclass(kw_only=True, slots=True)
class About:
    """What a call is about. Ids only, and only those that a handler has checked.

    Attributes:
        job_id: The job or live session.
        key_id: The API key.
        letter_id: The dead letter.
        share_id: The share.
        voice_id: The profile of a voice.
        tenant: The tenant, where the call is about one.
        is_noted: Whether the call has its entry.
        peer: From where it comes, as gRPC writes it.
    """

    job_id: str = ""
    key_id: str = ""
    letter_id: int = 0
    share_id: str = ""
    voice_id: str = ""
    tenant: str = ""
    is_noted: bool = False
    peer: str = ""


_about: ContextVar[About | None] = ContextVar("maie_audit_about", default=None)


def begin_call(peer: str) -> About:
    """Begins to note what this task's call is about. The interceptor does, and nobody else."""
    about = About(peer=peer)
    _about.set(about)
    return about


def current_call() -> About | None:
    """What this task's call is about; None in a call that is not audited."""
    return _about.get()


def is_about(
    *,
    job_id: str = "",
    key_id: str = "",
    letter_id: int = 0,
    share_id: str = "",
    voice_id: str = "",
    tenant: str = "",
) -> None:
    """Notes what this task's call is about; adds to what was noted before."""
    if (about := _about.get()) is not None:
        about.job_id = job_id or about.job_id
        about.key_id = key_id or about.key_id
        about.letter_id = letter_id or about.letter_id
        about.share_id = share_id or about.share_id
        about.voice_id = voice_id or about.voice_id
        about.tenant = tenant or about.tenant
