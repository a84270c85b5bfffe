"""What another call, or another process, needs to go on with a session."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(kw_only=True, frozen=True, slots=True)
class ResumePoint:
    """A place in a session.

    Attributes:
        session_id: The session, which is also its job's id.
        resume_token: The session's token; a secret.
        after_sequence: The last durable event that the caller has seen.
        await_summary: Whether to wait for the summary, where the session has ended.
    """

    session_id: str
    resume_token: str = field(repr=False)
    after_sequence: int = 0
    await_summary: bool = False
