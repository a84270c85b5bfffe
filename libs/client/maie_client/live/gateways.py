"""The gateways that a session may go to."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

from opentelemetry.trace import TracerProvider

from maie.live.v1 import live_pb2_grpc as live_grpc
from maie_client.channels import Channels
from maie_client.credentials import CallMetadata
from maie_client.tls import Tls
from maie_client.tracing import Metadata


class Gateways:
    """The gateways, one after another.

    Args:
        addresses: Their addresses; at least one.
        tls: How to use TLS; unset: plain connections.
        metadata: What each call carries.
        tracer_provider: Makes the spans of calls; unset: the one that the application has set.

    Attributes:
        tracer_provider: The same.
    """

    def __init__(
        self,
        addresses: Sequence[str],
        tls: Tls | None,
        metadata: CallMetadata,
        tracer_provider: TracerProvider | None = None,
    ) -> None:
        self.tracer_provider = tracer_provider
        self.addresses = tuple(dict.fromkeys(addresses))
        self._metadata = metadata
        self._order = itertools.cycle(self.addresses)
        self._channels = Channels(tls)
        self._silent: set[str] = set()

    def next(self) -> str:
        """The address of the next gateway."""
        return next(self._order)

    def call(self, address: str, trace: Metadata) -> Any:
        """Opens a call at a gateway.

        Args:
            address: Its address.
            trace: What carries the trace of the call.
        """
        channel = self._channels.get(address, alone=address in self._silent)
        stub = live_grpc.LiveServiceStub(channel)
        return stub.Transcribe(metadata=(*self._metadata.now(), *trace))

    async def hang_up(self, address: str) -> None:
        """Closes the connection to a gateway that is silent; the next call makes a new one."""
        self._silent.add(address)
        await self._channels.drop(address)

    async def close(self) -> None:
        """Closes the connections."""
        await self._channels.close()
