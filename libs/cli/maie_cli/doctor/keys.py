"""Looks at when API keys expire."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC

from maie.access.v1 import access_pb2 as access
from maie_cli.doctor.expiry import KEY_DAYS, expiry
from maie_cli.doctor.finding import Finding, Health
from maie_client import Client
from maie_formats.clean import plain

WHAT = "API keys"
# Rotation leaves the end of a key as it is.
AGAIN = "make another with maie keys create; if nobody needs this one, maie keys revoke {0}"


async def keys(client: Client) -> AsyncIterator[Finding]:
    """The keys that expire soon or have expired; the next that will where none does.

    Raises:
        ClientError: The gateway does not list them.
    """
    listed = [key for key in await client.keys.list("") if not key.HasField("revoke_time")]
    ending = [_finding(key) for key in sorted(listed, key=_end) if key.HasField("expire_time")]
    due = [finding for finding in ending if finding.health is not Health.OK]
    for finding in due or ending[:1]:
        yield finding
    if not ending:
        detail = f"none of {len(listed)} expires" if listed else "there are none"
        yield Finding(what=WHAT, detail=detail)


def _finding(key: access.ApiKey) -> Finding:
    name = plain(f"{key.key_id} {key.display_name}".strip())
    ends = key.expire_time.ToDatetime(UTC)
    found = expiry(WHAT, f"{name} of {plain(key.tenant)}", ends, days=KEY_DAYS, mend="")
    if found.health is Health.OK:
        return found
    return Finding(
        what=WHAT,
        health=found.health,
        detail=found.detail,
        mend=AGAIN.format(plain(key.key_id)),
    )


def _end(key: access.ApiKey) -> int:
    return key.expire_time.ToNanoseconds()
