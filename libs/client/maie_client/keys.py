"""The API keys of a mesh, for who has the scope admin."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import timedelta

from maie.access.v1 import access_pb2 as access
from maie.access.v1 import access_pb2_grpc as access_grpc
from maie_client.asking import Ask
from maie_client.text import sendable, sendable_name


class Keys:
    """Makes, lists, rotates and revokes keys; `Client.keys` has it.

    Every method raises ClientError, such as PERMISSION_DENIED with SCOPE_MISSING.
    """

    def __init__(self, stub: Callable[[], access_grpc.AccessServiceStub], ask: Ask) -> None:
        self._stub = stub
        self._ask = ask

    async def create(
        self,
        *,
        scopes: Iterable[access.Scope],
        tenant: str = "",
        display_name: str = "",
        lifetime: timedelta | None = None,
    ) -> access.CreateKeyResponse:
        """Makes a key; `api_key` of the answer is the only time that it is shown.

        Args:
            scopes: What its holder may do.
            tenant: The tenant that it acts for; empty: the default tenant.
            display_name: What it is for.
            lifetime: How long it works; unset: until it is revoked.
        """
        request = access.CreateKeyRequest(
            tenant=sendable(tenant),
            display_name=sendable_name(display_name),
            scopes=scopes,
            lifetime=lifetime,
        )
        created: access.CreateKeyResponse = await self._ask(self._stub().CreateKey, request)
        return created

    async def list(self, tenant: str = "") -> list[access.ApiKey]:
        """Lists the keys without their secrets, of one tenant or of all."""
        request = access.ListKeysRequest(tenant=sendable(tenant))
        return list((await self._ask(self._stub().ListKeys, request)).keys)

    async def rotate(
        self, key_id: str, overlap: timedelta | None = None
    ) -> access.RotateKeyResponse:
        """Gives a key another secret.

        Args:
            key_id: The key.
            overlap: How long the secret before works on; unset: a day.
        """
        request = access.RotateKeyRequest(key_id=sendable(key_id), overlap=overlap)
        rotated: access.RotateKeyResponse = await self._ask(self._stub().RotateKey, request)
        return rotated

    async def revoke(self, key_id: str) -> access.ApiKey:
        """Ends a key at once."""
        request = access.RevokeKeyRequest(key_id=sendable(key_id))
        revoked: access.RevokeKeyResponse = await self._ask(self._stub().RevokeKey, request)
        return revoked.key
