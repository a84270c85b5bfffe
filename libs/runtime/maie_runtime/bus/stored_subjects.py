"""Which subjects a stream has messages on."""

from __future__ import annotations

import json
from typing import Any

from nats.js.errors import APIError

from maie_runtime.bus.broker import REQUEST_TIMEOUT_SECONDS
from maie_runtime.bus.outages import ResilientClient


async def stored_subjects(client: ResilientClient, stream: str) -> set[str]:
    """The subjects of a stream's messages; the server names up to 100,000 at a time.

    Of a bucket they include those whose last entry is a removal.

    Raises:
        nats.errors.Error, APIError or OSError: As `BROKER_ERRORS`.
    """
    found: set[str] = set()
    offset, total = 0, 1
    while offset < total:
        info = await stream_info(client, stream, offset)
        named = info["state"].get("subjects") or {}
        found.update(named)
        offset, total = offset + len(named), info.get("total", 0) if named else 0
    return found


async def matching_subjects(client: ResilientClient, stream: str, pattern: str) -> set[str]:
    """The subjects that match, of a stream's messages; up to 100,000.

    Its leader answers, which has every message that was acknowledged.

    Raises:
        As `stored_subjects`.
    """
    info = await stream_info(client, stream, pattern=pattern)
    return set(info["state"].get("subjects") or {})


async def stream_info(
    client: ResilientClient, stream: str, offset: int = 0, pattern: str = ">"
) -> dict[str, Any]:
    """What the leader of a stream knows of it, with its subjects that match from an offset on.

    Raises:
        As `stored_subjects`.
    """
    request = json.dumps({"subjects_filter": pattern, "offset": offset}).encode()
    return await client.ride_out(lambda: _stream_info(client, stream, request))


async def _stream_info(client: ResilientClient, stream: str, request: bytes) -> dict[str, Any]:
    answer = await client.request(
        f"$JS.API.STREAM.INFO.{stream}", request, timeout=REQUEST_TIMEOUT_SECONDS
    )
    info: dict[str, Any] = json.loads(answer.data)
    if "error" in info:
        raise APIError.from_error(info["error"])
    return info
