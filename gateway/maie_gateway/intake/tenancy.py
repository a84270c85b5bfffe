"""The tenant of a call and of a job.

A tenant is a name that the caller sends; it is not authenticated yet. It keeps
the jobs of honest callers apart and is no protection against others: until
callers are authenticated, only callers who may see every job may reach a gateway.
"""

from __future__ import annotations

import re
from typing import Any

from maie_core.errors import invalid
from maie_core.limits import MAX_TENANT_CHARACTERS
from maie_core.reasons import Reason
from maie_gateway.conductor.tenants import DEFAULT_TENANT, tenant_of_record
from maie_gateway.records.journal import StoredRecord
from maie_gateway.records.store import JobStore, job_not_found

METADATA_KEY = "maie-tenant"
# Tenants are part of subjects and keys in NATS, of file names and of labels of metrics.
_TENANT = re.compile(rf"(?!-)[a-z0-9-]{{1,{MAX_TENANT_CHARACTERS}}}")


def tenant_of(context: Any) -> str:
    """The tenant that a call's metadata names; `default` where it names none.

    Raises:
        StageError: INVALID_ARGUMENT with TENANT_INVALID.
    """
    named = {
        value for key, value in context.invocation_metadata() or () if key == METADATA_KEY
    } or {DEFAULT_TENANT}
    tenant = named.pop()
    if named or not isinstance(tenant, str) or not _TENANT.fullmatch(tenant):
        raise invalid(
            Reason.TENANT_INVALID,
            f"The metadata {METADATA_KEY} names one tenant: up to {MAX_TENANT_CHARACTERS} "
            "characters of a-z, 0-9 and -, not beginning with -.",
            field=METADATA_KEY,
        )
    return tenant


async def own_job(store: JobStore, job_id: str, tenant: str) -> StoredRecord:
    """Reads the record of a tenant's own job.

    Raises:
        StageError: NOT_FOUND with JOB_NOT_FOUND, with the same message for
            another tenant's job as for one that does not exist.
    """
    stored = await store.get(job_id)
    if tenant_of_record(stored.record) != tenant:
        raise job_not_found(job_id)
    return stored
