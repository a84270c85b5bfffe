"""The end of a session whose client cannot resume it."""

from __future__ import annotations

import asyncio
from contextlib import suppress

from maie_client import ClientError
from maie_client.live import LiveSession
from maie_web.one_off import OneOffJob

END_SECONDS = 5.0


async def end_session(session: LiveSession, one_off: OneOffJob | None) -> None:
    """Ends the session of a client that left, and deletes what it became unless that is kept.

    Args:
        session: The session.
        one_off: Its job; None where it is kept.
    """
    with suppress(ClientError, TimeoutError):
        async with asyncio.timeout(END_SECONDS):
            await session.end(without_summary=True)
    if one_off is not None:
        await one_off.end()
