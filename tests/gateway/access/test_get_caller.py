"""Every caller may ask who it is."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from maie.access.v1 import access_pb2 as access
from maie_client import Client, ClientError
from maie_gateway.access.settings import AccessSettings
from maie_gateway.access.token_settings import TokenSettings
from tests.gateway.access.conftest import ALL, Guarded
from tests.gateway.access.issuer import AUDIENCE, ISSUER, Issuer
from tests.gateway.conftest import EmptyMesh

pytestmark = pytest.mark.mesh


@pytest.mark.parametrize("scope", ALL)
async def test_a_key_of_any_scope_may(guarded: Guarded, scope: access.Scope) -> None:
    async with guarded.mesh.gateway() as address:
        async with guarded.admin(address) as admin:
            made = await admin.keys.create(
                scopes=[scope], tenant="acme", lifetime=timedelta(hours=1)
            )
        async with Client(address, token=made.api_key) as client:
            found = await client.get_caller()
        assert (found.caller_id, found.tenant) == (f"key:{made.key.key_id}", "acme")
        assert list(found.scopes) == [scope]
        assert not found.names_tenants
        left = found.expire_time.ToDatetime(UTC) - datetime.now(UTC)
        assert timedelta(minutes=50) < left <= timedelta(hours=1)


async def test_nobody_may_not(guarded: Guarded) -> None:
    async with guarded.mesh.gateway() as address, Client(address) as client:
        with pytest.raises(ClientError) as refused:
            await client.get_caller()
        assert refused.value.reason == "CREDENTIALS_MISSING"


async def test_this_user_names_tenants(empty_mesh: EmptyMesh) -> None:
    async with empty_mesh.gateway() as address, Client(address, tenant="acme") as client:
        found = await client.get_caller()
        assert found.caller_id.startswith("local:")
        assert (found.tenant, found.names_tenants) == ("acme", True)
        assert list(found.scopes) == sorted(ALL)
        assert not found.HasField("expire_time")


async def test_a_token_says_it(guarded: Guarded, tmp_path: Path) -> None:
    issuer = Issuer()
    issuer.add("one")
    file = tmp_path / "jwks"
    file.write_text(json.dumps(issuer.jwks()))
    tokens = TokenSettings(issuer=ISSUER, audience=AUDIENCE, jwks_file=file)
    guarded.mesh.gateway_options["access"] = AccessSettings(local_user=False, tokens=tokens)
    async with (
        guarded.mesh.gateway() as address,
        Client(address, token=issuer.token()) as client,
    ):
        found = await client.get_caller()
    assert (found.caller_id, found.tenant) == ("jwt:ada", "acme")
    assert found.HasField("expire_time")
