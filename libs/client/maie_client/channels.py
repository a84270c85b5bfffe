"""The channels of a client."""

from __future__ import annotations

import asyncio

import grpc

from maie_client.channel import open_channel
from maie_client.tls import SCHEME, Tls, credentials_of


class Channels:
    """A channel for each address; a new one where its certificates have changed.

    Args:
        tls: How to use TLS; unset: plain connections.

    Raises:
        ClientError: FAILED_PRECONDITION with CERTIFICATE_INVALID.
    """

    def __init__(self, tls: Tls | None) -> None:
        self._tls = tls
        self._files = tls.files() if tls else None
        self._number = 0
        self._credentials: grpc.ChannelCredentials | None = None
        self._channels: dict[str, grpc.aio.Channel] = {}
        self._former: list[grpc.aio.Channel] = []

    def get(self, address: str, *, alone: bool = False) -> grpc.aio.Channel:
        """The channel to an address; connects on first use.

        Args:
            address: HOST:PORT, with or without https://.
            alone: Whether a new one has a connection of its own.
        """
        self._refresh()
        if address not in self._channels:
            self._channels[address] = open_channel(
                address.removeprefix(SCHEME),
                self._credentials,
                server_name=self._tls.server_name if self._tls else "",
                alone=alone,
            )
        return self._channels[address]

    async def drop(self, address: str) -> None:
        """Closes the channel to an address; the next one is new."""
        await self._channels.pop(address).close()

    async def close(self) -> None:
        """Closes all channels, and ends their calls."""
        await asyncio.gather(
            *(channel.close() for channel in (*self._channels.values(), *self._former))
        )

    def _refresh(self) -> None:
        if self._files is None:
            return
        loaded = self._files.current()
        if loaded.number != self._number:
            self._number, self._credentials = loaded.number, credentials_of(loaded)
            # Their calls go on. They stay open to the end, which is few: certificates last weeks.
            self._former += self._channels.values()
            self._channels = {}
