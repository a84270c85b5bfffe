"""Gateways know from where requests come: what trusted proxies say, and nothing else."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from maie.access.v1 import access_pb2 as access
from maie_client import Client, ClientError
from maie_gateway.access.settings import AccessSettings
from maie_gateway.limits.settings import LimitSettings
from tests.gateway.access.conftest import eventually
from tests.gateway.conftest import EmptyMesh
from tests.web.conftest import web_before

pytestmark = pytest.mark.mesh

CLIENT = "203.0.113.9"
MADE_UP = "6.6.6.6"
NAMED = {"x-forwarded-for": f"{MADE_UP}, {CLIENT}"}


async def peers(client: Client, action: str) -> list[str]:
    """From where calls came, as the audit log says; without ports of this machine."""
    wanted = access.ListAuditEntriesRequest(action=action)
    found = [each.peer async for each in client.audit.entries(wanted)]
    return [peer.rpartition(":")[0] if peer.startswith("ipv4:127.") else peer for peer in found]


async def make_key(http: httpx.AsyncClient, headers: dict[str, str]) -> None:
    made = await http.post("/v1/admin/keys", json={"scopes": ["read"]}, headers=headers)
    assert made.status_code == 201


async def test_what_trusted_proxies_say_is_in_the_audit_log(empty_mesh: EmptyMesh) -> None:
    empty_mesh.gateway_options["access"] = AccessSettings(trusted_proxies=("local-user",))
    local: dict[str, Any] = {"trusted_proxies": ("127.0.0.0/8",)}
    async with empty_mesh.running() as client:
        async with web_before(client, **local) as web:
            await make_key(web.http, NAMED)
            await make_key(web.http, {"x-forwarded-for": "[2001:db8::1]:4711"})
            await make_key(web.http, {"x-forwarded-for": "nobody"})
            # Only the header that the proxy sets is read.
            await make_key(web.http, {"forwarded": f"for={MADE_UP}"})
            wrong = await web.http.get("/v1/jobs", headers={**NAMED, "x-api-key": "maie_wrong"})
            assert wrong.status_code == 401
        async with web_before(client, **local, proxy_header="forwarded") as web:
            await make_key(web.http, {**NAMED, "forwarded": f"for={CLIENT};proto=https"})
        async with web_before(client) as web:
            await make_key(web.http, NAMED)
        here = "ipv4:127.0.0.1"
        assert await peers(client, "CreateKey") == [
            f"ipv4:{CLIENT}",
            "ipv6:[2001:db8::1]",
            here,
            here,
            f"ipv4:{CLIENT}",
            here,
        ]

        async def is_noted() -> bool:
            return await peers(client, "ListJobs") == [f"ipv4:{CLIENT}"]

        assert await eventually(is_noted)


async def test_a_gateway_believes_no_client(empty_mesh: EmptyMesh) -> None:
    async with empty_mesh.gateway() as address, Client(address) as client:
        await client.acting(forwarded_for=MADE_UP).keys.create(scopes=[access.SCOPE_READ])
        assert await peers(client, "CreateKey") == ["ipv4:127.0.0.1"]


async def test_failures_are_counted_for_the_address_that_a_proxy_named(
    empty_mesh: EmptyMesh,
) -> None:
    empty_mesh.gateway_options["limits"] = LimitSettings(failed_credentials_per_minute=1)
    empty_mesh.gateway_options["access"] = AccessSettings(trusted_proxies=("127.0.0.1",))
    async with empty_mesh.gateway() as address, Client(address) as client:

        async def failure(forwarded_for: str) -> str:
            with pytest.raises(ClientError) as refused:
                await client.acting(token="maie_wrong", forwarded_for=forwarded_for).get_caller()
            return refused.value.reason

        assert await failure(CLIENT) == "CREDENTIALS_INVALID"
        assert await failure(CLIENT) == "RATE_LIMITED"
        assert await failure("198.51.100.7") == "CREDENTIALS_INVALID"


async def test_a_program_of_this_user_is_believed_for_what_it_saw_alone(
    empty_mesh: EmptyMesh,
) -> None:
    empty_mesh.gateway_options["access"] = AccessSettings(trusted_proxies=("local-user",))
    async with empty_mesh.gateway() as address, Client(address) as client:
        made_up = client.acting(forwarded_for=f"{MADE_UP}, 127.0.0.1")
        await made_up.keys.create(scopes=[access.SCOPE_READ])
        assert await peers(client, "CreateKey") == ["ipv4:127.0.0.1"]
