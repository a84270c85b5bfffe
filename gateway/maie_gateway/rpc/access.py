"""AccessService: the API keys and the audit log of the mesh, for those who look after it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from google.protobuf.duration_pb2 import Duration

from maie.access.v1 import access_pb2 as access
from maie.access.v1 import access_pb2_grpc
from maie_core.api_keys import is_key_id
from maie_core.caller import ALL_SCOPES, DEFAULT_TENANT, current_caller
from maie_core.errors import invalid
from maie_core.reasons import Reason
from maie_gateway.access.key_store import KeyStore
from maie_gateway.audit.about import is_about
from maie_gateway.audit.entry import SCOPES
from maie_gateway.audit.reading import AuditPages
from maie_gateway.intake.submit_config import check_display_name
from maie_gateway.rpc.job_ids import check_job_id
from maie_runtime.rpc.callers.tenant import check_tenant

MIN_LIFETIME = timedelta(minutes=1)
MAX_LIFETIME = timedelta(days=3653)
DEFAULT_OVERLAP = timedelta(days=1)
MAX_OVERLAP = timedelta(days=30)


class AccessService(access_pb2_grpc.AccessServiceServicer):
    """Serves maie.access.v1.AccessService."""

    def __init__(self, keys: KeyStore, audit: AuditPages) -> None:
        self._keys = keys
        self._audit = audit

    async def GetCaller(
        self, request: access.GetCallerRequest, context: Any
    ) -> access.GetCallerResponse:
        """Gives who the caller is."""
        caller = current_caller()
        described = access.Caller(
            caller_id=caller.id,
            tenant=caller.tenant,
            scopes=sorted(SCOPES[scope] for scope in caller.scopes),
            names_tenants=caller.names_tenants,
        )
        if caller.expires_at is not None:
            described.expire_time.FromMilliseconds(int(caller.expires_at * 1000))
        return access.GetCallerResponse(caller=described)

    async def CreateKey(
        self, request: access.CreateKeyRequest, context: Any
    ) -> access.CreateKeyResponse:
        """Makes a key for a tenant."""
        tenant = request.tenant or DEFAULT_TENANT
        check_tenant(tenant)
        check_display_name(request.display_name, field="display_name")
        lifetime = None
        if request.HasField("lifetime"):
            lifetime = _within(request.lifetime, MIN_LIFETIME, MAX_LIFETIME, "lifetime")
        shown = access.ApiKey(
            tenant=tenant,
            display_name=request.display_name,
            scopes=_checked_scopes(request),
            created_by=current_caller().id,
        )
        key, text = await self._keys.create(shown, lifetime)
        is_about(key_id=key.key_id)
        return access.CreateKeyResponse(key=key, api_key=text.text)

    async def ListKeys(
        self, request: access.ListKeysRequest, context: Any
    ) -> access.ListKeysResponse:
        """Lists the keys, without their secrets."""
        if request.tenant:
            check_tenant(request.tenant)
        return access.ListKeysResponse(keys=await self._keys.listed(request.tenant))

    async def RotateKey(
        self, request: access.RotateKeyRequest, context: Any
    ) -> access.RotateKeyResponse:
        """Gives a key another secret."""
        overlap = DEFAULT_OVERLAP
        if request.HasField("overlap"):
            overlap = _within(request.overlap, timedelta(0), MAX_OVERLAP, "overlap")
        _is_about(request.key_id)
        key, text = await self._keys.rotate(request.key_id, overlap)
        return access.RotateKeyResponse(key=key, api_key=text.text)

    async def RevokeKey(
        self, request: access.RevokeKeyRequest, context: Any
    ) -> access.RevokeKeyResponse:
        """Ends a key at once."""
        _is_about(request.key_id)
        return access.RevokeKeyResponse(key=await self._keys.revoke(request.key_id))

    async def ListAuditEntries(
        self, request: access.ListAuditEntriesRequest, context: Any
    ) -> access.ListAuditEntriesResponse:
        """Lists who did what, the oldest first."""
        if request.tenant:
            check_tenant(request.tenant)
        if request.job_id:
            check_job_id(request.job_id)
        return await self._audit.page(request)


def _is_about(key_id: str) -> None:
    if is_key_id(key_id):
        is_about(key_id=key_id)


def _checked_scopes(request: access.CreateKeyRequest) -> list[access.Scope]:
    known = {SCOPES[scope] for scope in ALL_SCOPES}
    if not request.scopes or not known.issuperset(request.scopes):
        raise invalid(
            Reason.FIELD_INVALID,
            "A key has at least one scope out of submit, read, live and admin; name them.",
            field="scopes",
        )
    return sorted(set(request.scopes))


def _within(duration: Duration, least: timedelta, most: timedelta, field: str) -> timedelta:
    """A duration between two others."""
    nanoseconds = duration.seconds * 1_000_000_000 + duration.nanos
    found = timedelta(microseconds=min(max(nanoseconds // 1000, -1), 10**18))
    if not least <= found <= most:
        raise invalid(
            Reason.FIELD_INVALID,
            f"{field} is between {least} and {most}, in days, hours, minutes and seconds.",
            field=field,
        )
    return found
