"""The tenant that a call names in its metadata."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

from maie_core.caller import Caller
from maie_core.errors import Code, StageError, invalid
from maie_core.limits import MAX_TENANT_CHARACTERS
from maie_core.reasons import Reason

METADATA_KEY = "maie-tenant"
# Tenants are part of subjects and keys in NATS, of file names and of labels of metrics.
_TENANT = re.compile(rf"(?!-)[a-z0-9-]{{1,{MAX_TENANT_CHARACTERS}}}")
RULE = f"up to {MAX_TENANT_CHARACTERS} characters of a-z, 0-9 and -, not beginning with -"
"""What a tenant's name is."""


def is_tenant(name: object) -> bool:
    """Whether this is a tenant's name."""
    return isinstance(name, str) and _TENANT.fullmatch(name) is not None


def check_tenant(name: str) -> None:
    """Refuses what is no tenant's name.

    Raises:
        StageError: INVALID_ARGUMENT with TENANT_INVALID.
    """
    if not is_tenant(name):
        raise invalid(Reason.TENANT_INVALID, f"A tenant's name is {RULE}.", field="tenant")


def for_named_tenant(caller: Caller, metadata: Mapping[str, Sequence[str | bytes]]) -> Caller:
    """The caller, acting for the tenant that the call names, where it names one.

    Raises:
        StageError: INVALID_ARGUMENT with TENANT_INVALID; PERMISSION_DENIED with
            TENANT_NOT_ALLOWED: the caller's credentials are of another tenant.
    """
    named = set(metadata.get(METADATA_KEY, ()))
    if not named:
        return caller
    tenant = named.pop()
    if named or not isinstance(tenant, str) or not is_tenant(tenant):
        raise invalid(
            Reason.TENANT_INVALID,
            f"The metadata {METADATA_KEY} names one tenant: {RULE}.",
            field=METADATA_KEY,
        )
    if caller.names_tenants:
        return replace(caller, tenant=tenant)
    if tenant != caller.tenant:
        raise StageError(
            Code.PERMISSION_DENIED,
            Reason.TENANT_NOT_ALLOWED,
            f"The credentials of this call are of the tenant {caller.tenant}; name no other one, "
            "or use credentials of that tenant.",
            field=METADATA_KEY,
        )
    return caller
