"""The tenants of a mesh, for who has the scope admin."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable

from maie.tenant.v1 import tenant_pb2 as tenants
from maie.tenant.v1 import tenant_pb2_grpc as tenant_grpc
from maie_client.asking import Ask
from maie_client.text import sendable
from maie_client.uploads import Calling


class Tenants:
    """Lists tenants, sets their limits and removes them; `Client.tenants` has it.

    Every method raises ClientError, such as PERMISSION_DENIED with SCOPE_MISSING.
    """

    def __init__(
        self, stub: Callable[[], tenant_grpc.TenantServiceStub], ask: Ask, calling: Calling
    ) -> None:
        self._stub = stub
        self._ask = ask
        self._calling = calling

    async def list(self) -> list[tenants.Tenant]:
        """Lists the tenants with what they have and may have, by name."""
        request = tenants.ListTenantsRequest()
        return list((await self._ask(self._stub().ListTenants, request)).tenants)

    async def set_limits(
        self, tenant: str, limits: tenants.TenantLimits, base_revision: int
    ) -> int:
        """Sets the limits of a tenant, in place of those that were set before.

        Args:
            tenant: The tenant.
            limits: The limits; those that are unset are from the gateways' settings.
            base_revision: The `limits_revision` that they are based on; 0 where there is none.

        Returns:
            The new `limits_revision`.

        Raises:
            ClientError: Also ABORTED with LIMITS_OUTDATED: somebody set others meanwhile.
        """
        request = tenants.SetTenantLimitsRequest(
            tenant=sendable(tenant), limits=limits, base_revision=base_revision
        )
        set_: tenants.SetTenantLimitsResponse = await self._ask(
            self._stub().SetTenantLimits, request
        )
        return set_.limits_revision

    async def remove(self, tenant: str) -> AsyncGenerator[int, None]:
        """Removes a tenant with all that it has; yields how many jobs are removed so far.

        Gateways go on by themselves where the caller leaves before the end.

        Args:
            tenant: The tenant.
        """
        request = tenants.RemoveTenantRequest(tenant=sendable(tenant))
        with self._calling(tenants.RemoveTenantRequest) as metadata:
            call = self._stub().RemoveTenant(request, metadata=metadata)
            try:
                async for response in call:
                    yield response.removed_jobs
            finally:
                call.cancel()
