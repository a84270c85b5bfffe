"""Lets a server enter its calls in an audit log: those that are answered, and those that fail."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from maie_runtime.rpc.handlers import Around, BeforeAnswer, Handler, HandlerInterceptor, wrapped


@dataclass(kw_only=True, frozen=True, slots=True)
class Audit:
    """What enters the calls of an RPC.

    Attributes:
        around: Sees how a call ends.
        before_answer: Enters a call that is about to be answered; see `wrapped`.
    """

    around: Around
    before_answer: BeforeAnswer


class Auditor(Protocol):
    """Enters calls in an audit log."""

    def of(self, rpc: str) -> Audit | None:
        """What enters the calls of an RPC, such as "maie.job.v1.JobService/GetJob"."""
        ...


class AuditInterceptor(HandlerInterceptor):
    """Has the calls of a server entered in an audit log.

    It goes around the interceptor that finds out who calls, to see whom that refuses.
    """

    def __init__(self, auditor: Auditor) -> None:
        self._auditor = auditor

    def around_handler(self, path: str, handler: Handler) -> Handler:
        """See `HandlerInterceptor`."""
        audit = self._auditor.of(path.lstrip("/"))
        return wrapped(handler, audit.around, audit.before_answer) if audit else handler
