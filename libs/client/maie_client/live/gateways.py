"""The gateways that a session may go to."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import grpc

from maie.live.v1 import live_pb2_grpc as live_grpc
from maie_client.channel import open_channel


class Gateways:
    """The gateways, one after another.

    Args:
        addresses: Their addresses; at least one.
        credentials: For TLS; unset: plain connections.
        metadata: What each call carries.
    """

    def __init__(
        self,
        addresses: Sequence[str],
        credentials: grpc.ChannelCredentials | None,
        metadata: tuple[tuple[str, str], ...],
    ) -> None:
        self.addresses = tuple(dict.fromkeys(addresses))
        self._credentials = credentials
        self._metadata = metadata
        self._order = itertools.cycle(self.addresses)
        self._channels: dict[str, grpc.aio.Channel] = {}
        self._silent: set[str] = set()

    def next_call(self) -> tuple[str, Any]:
        """Opens a call at the next gateway; gives its address and the call."""
        address = next(self._order)
        if address not in self._channels:
            self._channels[address] = open_channel(
                address, self._credentials, alone=address in self._silent
            )
        stub = live_grpc.LiveServiceStub(self._channels[address])
        return address, stub.Transcribe(metadata=self._metadata)

    async def hang_up(self, address: str) -> None:
        """Closes the connection to a gateway that is silent; the next call makes a new one."""
        self._silent.add(address)
        await self._channels.pop(address).close()

    async def close(self) -> None:
        """Closes the connections."""
        for channel in self._channels.values():
            await channel.close()
