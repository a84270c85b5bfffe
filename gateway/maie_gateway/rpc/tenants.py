"""TenantService: the tenants of the mesh and their limits, for those who look after it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from maie.tenant.v1 import tenant_pb2 as tenants
from maie.tenant.v1 import tenant_pb2_grpc
from maie_core.caller import current_caller
from maie_core.errors import Code, StageError
from maie_core.reasons import Reason
from maie_gateway.audit.about import is_about
from maie_gateway.care.tenant_removal import TenantRemoval
from maie_gateway.limits.callers import CallerLimits
from maie_gateway.limits.settings import TenantLimits
from maie_gateway.tenants.messages import check, to_message
from maie_gateway.tenants.store import TenantStore
from maie_gateway.tenants.use import Uses
from maie_runtime.rpc.callers.tenant import check_tenant


class TenantService(tenant_pb2_grpc.TenantServiceServicer):
    """Serves maie.tenant.v1.TenantService.

    Args:
        store: The limits that were set.
        uses: What tenants have.
        limits: The limits of single tenants.
        of_all: Those of every tenant.
        removal: Removes tenants.
    """

    def __init__(
        self,
        store: TenantStore,
        uses: Uses,
        limits: CallerLimits,
        of_all: TenantLimits,
        removal: TenantRemoval,
    ) -> None:
        self._removal = removal
        self._store = store
        self._uses = uses
        self._limits = limits
        self._of_all = of_all

    async def ListTenants(
        self, request: tenants.ListTenantsRequest, context: Any
    ) -> tenants.ListTenantsResponse:
        """Lists the tenants with what they have and may have."""
        uses = await self._uses.now()
        names = sorted(uses.keys() | self._limits.tenants)
        return tenants.ListTenantsResponse(
            tenants=[self._tenant(name, uses.get(name)) for name in names]
        )

    async def SetTenantLimits(
        self, request: tenants.SetTenantLimitsRequest, context: Any
    ) -> tenants.SetTenantLimitsResponse:
        """Sets the limits of a tenant."""
        check_tenant(request.tenant)
        is_about(tenant=request.tenant)
        check(request.limits)
        revision = await self._store.set_limits(
            request.tenant, request.limits, request.base_revision
        )
        return tenants.SetTenantLimitsResponse(limits_revision=revision)

    async def RemoveTenant(
        self, request: tenants.RemoveTenantRequest, context: Any
    ) -> AsyncIterator[tenants.RemoveTenantResponse]:
        """Removes a tenant, and says how far that is."""
        check_tenant(request.tenant)
        is_about(tenant=request.tenant)
        _refuse_own(request.tenant)
        removed = 0
        async for removed in self._removal.remove(request.tenant):
            yield tenants.RemoveTenantResponse(removed_jobs=removed)
        yield tenants.RemoveTenantResponse(removed_jobs=removed, done=True)

    def _tenant(self, name: str, use: tenants.TenantUse | None) -> tenants.Tenant:
        own = self._store.known().get(name)
        limits = self._limits.of(name).over(self._of_all)
        return tenants.Tenant(
            tenant=name,
            use=use or tenants.TenantUse(),
            limits=to_message(limits),
            own_limits=own.limits if own else None,
            limits_revision=own.revision if own else 0,
            removing=own is not None and own.removing,
        )


def _refuse_own(tenant: str) -> None:
    """Refuses the tenant of the caller's credentials, which would end with it.

    Raises:
        StageError: PERMISSION_DENIED with TENANT_NOT_ALLOWED.
    """
    caller = current_caller()
    if not caller.names_tenants and caller.tenant == tenant:
        raise StageError(
            Code.PERMISSION_DENIED,
            Reason.TENANT_NOT_ALLOWED,
            f"The credentials of this call are of the tenant {tenant} themselves; remove it with "
            "those of another one.",
            field="tenant",
        )
