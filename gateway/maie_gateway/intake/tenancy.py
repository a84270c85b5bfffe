"""The tenant of a job, and that of the caller: callers see the jobs of their own tenant only.

Who calls, and for which tenant, is found out from a call's credentials before the call is served
(`maie_runtime.rpc.callers`), so a tenant is protected from others.
"""

from __future__ import annotations

from maie_gateway.conductor.tenants import tenant_of_record
from maie_gateway.records.journal import StoredRecord
from maie_gateway.records.store import JobStore, job_not_found


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
