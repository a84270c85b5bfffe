"""A WebSocket's connection, which nothing holds open that is not read."""

from __future__ import annotations

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

# More than the longest message of the contract: 1 s of 8 channels at 48 kHz.
MAX_MESSAGE_BYTES = 1 << 20


class WebSocketConnection(WebSocketsSansIOProtocol):
    """uvicorn's, which would wait for ever until a page takes what was sent before the close."""

    async def run_asgi(self) -> None:
        """Serves the connection."""
        await super().run_asgi()
        if not self.writable.is_set():
            self.transport.abort()

    def keepalive_timeout(self) -> None:
        """Ends a connection whose page answers no ping."""
        super().keepalive_timeout()
        self.transport.abort()
