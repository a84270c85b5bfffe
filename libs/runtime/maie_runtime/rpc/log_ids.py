"""The ids of log lines, carried to another part of the mesh in metadata."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TypeGuard

import structlog

from maie_core.caller import Caller
from maie_core.names import is_uuid
from maie_runtime.rpc.callers.tenant import METADATA_KEY as TENANT_KEY
from maie_runtime.rpc.callers.tenant import is_tenant

JOB_KEY = "maie-job"


def sent_ids() -> Iterator[tuple[str, str]]:
    """The metadata for a call that is part of a job: whose log lines have its ids there, too."""
    bound = structlog.contextvars.get_contextvars()
    job, tenant = bound.get("job"), bound.get("tenant")
    if _is_job(job):
        yield JOB_KEY, job
        if isinstance(tenant, str) and is_tenant(tenant):
            yield TENANT_KEY, tenant


def bind_ids(caller: Caller, metadata: Mapping[str, Sequence[str | bytes]]) -> None:
    """Adds the tenant, and the job that a part of the mesh names, to all lines of this task."""
    structlog.contextvars.bind_contextvars(tenant=caller.tenant)
    (job, *others) = metadata.get(JOB_KEY) or (None,)
    if caller.names_tenants and not others and _is_job(job):
        structlog.contextvars.bind_contextvars(job=job)


def _is_job(name: object) -> TypeGuard[str]:
    """Whether it is the id of a job or session, and no words of a caller for the log."""
    return isinstance(name, str) and is_uuid(name)
