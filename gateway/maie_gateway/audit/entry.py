"""What an entry of the audit log says."""

from __future__ import annotations

from urllib.parse import unquote

from opentelemetry import trace

from maie.access.v1 import access_pb2 as access
from maie_core.caller import Caller, CallerKind, Scope, current_caller
from maie_core.errors import Code, StageError
from maie_core.reasons import Reason
from maie_gateway.audit.about import About

OK = "OK"
MESH = "mesh"
"""What the mesh's own acts begin with."""
SCOPES = {
    Scope.SUBMIT: access.SCOPE_SUBMIT,
    Scope.READ: access.SCOPE_READ,
    Scope.LIVE: access.SCOPE_LIVE,
    Scope.ADMIN: access.SCOPE_ADMIN,
    Scope.SHARED: access.SCOPE_SHARED,
    Scope.SHARED_AUDIO: access.SCOPE_SHARED_AUDIO,
}


def of_call(
    action: str, about: About, error: BaseException | None, gateway: str
) -> access.AuditEntry:
    """The entry of a call that this task serves.

    Args:
        action: The RPC.
        about: What the call is about.
        error: What ended it; None where it is answered.
        gateway: The gateway's name.
    """
    status, reason = outcome(error)
    entry = access.AuditEntry(
        action=action,
        peer=unquote(about.peer),
        job_id=about.job_id,
        key_id=about.key_id,
        letter_id=about.letter_id,
        share_id=about.share_id,
        voice_id=about.voice_id,
        about_tenant=about.tenant,
        status=status,
        reason=reason,
        trace_id=_trace_id(),
        gateway=gateway,
    )
    entry.entry_time.GetCurrentTime()
    if (caller := _caller()) is not None:
        entry.caller_id, entry.caller_kind = caller.id, caller.kind
        entry.tenant = caller.tenant
        entry.scopes.extend(sorted(SCOPES[scope] for scope in caller.scopes))
    return entry


def of_mesh(
    act: str,
    gateway: str,
    *,
    tenant: str = "",
    job_id: str = "",
    voice_id: str = "",
    count: int = 0,
) -> access.AuditEntry:
    """The entry of an act of the mesh itself."""
    entry = access.AuditEntry(
        action=f"{MESH}/{act}",
        caller_kind=CallerKind.MESH,
        tenant=tenant,
        job_id=job_id,
        voice_id=voice_id,
        status=OK,
        trace_id=_trace_id(),
        gateway=gateway,
        count=count,
    )
    entry.entry_time.GetCurrentTime()
    return entry


def outcome(error: BaseException | None) -> tuple[str, str]:
    """The status and the reason of a call."""
    if error is None:
        return OK, ""
    if isinstance(error, StageError):
        return error.code.name, error.reason
    if isinstance(error, Exception):
        return Code.INTERNAL.name, Reason.INTERNAL
    return Code.CANCELLED.name, ""


def _caller() -> Caller | None:
    try:
        return current_caller()
    except LookupError:
        return None


def _trace_id() -> str:
    named = trace.get_current_span().get_span_context()
    return f"{named.trace_id:032x}" if named.is_valid else ""
