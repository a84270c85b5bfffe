"""JetStream, whose requests ride out an outage where their connection does.

A write may have been stored although its answer was lost. So each is named by an id that no other
has, and one that is repeated is recognised: the server drops it as a duplicate, or, as it may check
a condition first, refuses it, and the last message of the key has the id.
"""

from __future__ import annotations

import secrets
from functools import partial
from typing import Any

from nats.js import JetStreamContext
from nats.js.api import PubAck, RawStreamMsg
from nats.js.errors import APIError, NotFoundError

from maie_runtime.bus import subjects
from maie_runtime.bus.outages import ResilientClient

TOKEN_BYTES = 12
MESSAGE_ID = "Nats-Msg-Id"
"""The header by which a stream stores a message once."""
WRONG_LAST_SEQUENCE = frozenset({10071, 10164})
"""The server's error codes for a failed compare-and-set."""


class ResilientJetStream(JetStreamContext):
    """JetStream over a connection that may ride out outages.

    Args:
        client: The connection.
        timeout: How long one answer may take, in seconds.
    """

    def __init__(self, client: ResilientClient, timeout: float) -> None:
        super().__init__(client, timeout=timeout)
        self._client = client

    async def publish(
        self, *args: Any, headers: dict[str, Any] | None = None, **options: Any
    ) -> PubAck:
        """Stores a message once; arguments as nats-py's.

        Raises:
            nats.errors.Error, APIError or OSError: NATS refused, or did not answer.
        """
        if not self._client.rides_out:
            return await self.publish_once(*args, headers=headers, **options)
        named = {MESSAGE_ID: secrets.token_hex(TOKEN_BYTES), **(headers or {})}
        tries = 0

        async def attempt() -> PubAck:
            nonlocal tries
            tries += 1
            return await self.publish_once(*args, headers=named, **options)

        try:
            return await self._client.ride_out(attempt)
        except APIError as error:
            if tries > 1 and error.err_code in WRONG_LAST_SEQUENCE:
                before = await self._stored_before(args[0], named[MESSAGE_ID])
                if before is not None:
                    return before
            raise

    async def publish_once(self, *args: Any, **options: Any) -> PubAck:
        """Publishes without riding out an outage, for callers who repeat it themselves.

        Raises:
            As `publish`.
        """
        return await super().publish(*args, **options)

    async def get_msg(self, *args: Any, **options: Any) -> RawStreamMsg:
        """Reads a message; arguments as nats-py's.

        Raises:
            NotFoundError: There is none.
            nats.errors.Error, APIError or OSError: NATS refused, or did not answer.
        """
        read = partial(super().get_msg, *args, **options)
        # A direct read is no request of the API.
        return await (self._client.ride_out(read) if options.get("direct") else read())

    async def _api_request(self, *args: Any, **options: Any) -> dict[str, Any]:
        return await self._client.ride_out(partial(super()._api_request, *args, **options))

    async def _stored_before(self, subject: str, message_id: str) -> PubAck | None:
        """An earlier try of a write to a bucket, where it was stored and is the last of its key."""
        stream = subjects.stream_of_entry(subject)
        if not stream:
            return None
        try:
            last = await self.get_last_msg(stream, subject)
        except NotFoundError:
            return None
        if (last.headers or {}).get(MESSAGE_ID) != message_id:
            return None
        return PubAck(stream=stream, seq=last.seq or 0, duplicate=True)
