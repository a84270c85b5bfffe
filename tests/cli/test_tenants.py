"""`maie tenants`: what tenants use, and their limits."""

from __future__ import annotations

import json

import pytest

from maie.access.v1 import access_pb2 as access
from maie_client import Client
from tests.cli.command import maie_at as maie

pytestmark = pytest.mark.mesh


async def test_limits_are_set_taken_away_and_listed(gateway: str) -> None:
    limit = ("tenants", "limit", "acme")
    code, printed, _ = await maie(gateway, *limit, "--set", "streams=7", "--set", "active_jobs=3")
    assert code == 0
    shown = dict(line.split(maxsplit=1) for line in printed.splitlines())
    assert (shown["streams"], shown["active_jobs"]) == ("7 (its own)", "3 (its own)")
    assert (shown["watches"], shown["audio_hours_per_day"]) == ("300", "any")
    code, printed, _ = await maie(gateway, *limit, "--unset", "streams", "--json")
    assert (code, json.loads(printed)["own_limits"]) == (0, {"active_jobs": 3})
    code, printed, _ = await maie(gateway, "tenants", "list")
    assert (code, "acme" in printed, "0 of 3" in printed) == (0, True, True)


async def test_a_limit_without_a_number_is_wrong_usage(gateway: str) -> None:
    code, _, error = await maie(gateway, "tenants", "limit", "acme", "--set", "streams=many")
    assert (code, "NAME=NUMBER" in error) == (2, True)
    async with Client(gateway) as client:
        assert not await client.tenants.list()


async def test_a_tenant_is_removed_by_who_names_it_twice(gateway: str) -> None:
    async with Client(gateway) as client:
        await client.keys.create(scopes=[access.SCOPE_READ], tenant="acme")
        remove = ("tenants", "remove", "acme", "--confirm")
        code, _, error = await maie(gateway, *remove, "other")
        assert (code, "nothing is removed" in error) == (2, True)
        assert [each.tenant for each in await client.tenants.list()] == ["acme"]
        code, printed, _ = await maie(gateway, *remove, "acme")
        assert (code, printed) == (0, "acme is gone, with 0 jobs\n")
        assert not await client.tenants.list()
