"""The tenants of a mesh, for who has the scope admin."""

from __future__ import annotations

from collections.abc import Callable

from maie.tenant.v1 import tenant_pb2 as tenants
from maie.tenant.v1 import tenant_pb2_grpc as tenant_grpc
from maie_client.asking import Ask
from maie_client.text import sendable


class Tenants:
    """Lists tenants and sets their limits; `Client.tenants` has it.

    Every method raises ClientError, such as PERMISSION_DENIED with SCOPE_MISSING.
    """

    def __init__(self, stub: Callable[[], tenant_grpc.TenantServiceStub], ask: Ask) -> None:
        self._stub = stub
        self._ask = ask

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
