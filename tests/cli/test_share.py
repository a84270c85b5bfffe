"""`maie share`: links by which others read a recording."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator

import pytest

from maie_client import Client
from maie_core.share_tokens import parse_token
from tests.cli.command import maie_at as maie

pytestmark = pytest.mark.mesh


async def recording() -> AsyncIterator[bytes]:
    yield b"not empty"


async def test_a_link_is_made_listed_and_revoked(gateway: str) -> None:
    async with Client(gateway) as client:
        job_id = (await client.create_job(recording(), features=["raw_transcript"])).job_id
    code, _, noted = await maie(gateway, "share", "list")
    assert (code, noted) == (0, "nothing is shared; make a link with: maie share JOB\n")
    code, printed, noted = await maie(
        gateway, "share", job_id, "--days", "2", "--audio", "--web", "https://maie.example/"
    )
    assert code == 0
    address, _, text = printed.strip().partition("#")
    token = parse_token(text)
    assert address == "https://maie.example/s/"
    assert token
    assert token.job_id == job_id
    assert f"this is share {token.share_id}, until 20" in noted
    assert token.secret not in noted

    code, listed, _ = await maie(gateway, "share", "list", job_id, "--json")
    shown = json.loads(listed)
    assert code == 0
    assert (shown["share_id"], shown["audio"]) == (token.share_id, True)
    code, table, _ = await maie(gateway, "share", "list")
    assert code == 0
    assert "text and audio" in table
    assert token.secret not in listed + table

    code, printed, _ = await maie(gateway, "share", "revoke", job_id, token.share_id)
    assert (code, printed) == (0, f"{token.share_id} is revoked\n")
    code, printed, error = await maie(gateway, "share", "revoke", job_id, token.share_id)
    assert (code, printed) == (2, "")
    assert "no such share" in error
