"""A TCP proxy that can fall silent without hanging up, as a network does that is cut."""

from __future__ import annotations

import asyncio
from types import TracebackType
from typing import Self

READ_BYTES = 65536


class SilentProxy:
    """Passes connections on to an address; an asynchronous context manager.

    Args:
        target: HOST:PORT.
        delay_seconds: How long a new connection takes.
        most_bytes: After how many bytes, of all connections and both directions, nothing more is
            passed on; None for no end.

    Attributes:
        address: HOST:PORT where it listens.
        most_bytes: As above; a test may raise it.
        takes_new: Cleared, new connections wait.
        upstream_ports: Its own ports of the connections to the target.
        passed_bytes: How many bytes it passed on.
        spent: Set once it passes nothing on any more.
    """

    def __init__(
        self, target: str, delay_seconds: float = 0.0, most_bytes: int | None = None
    ) -> None:
        self._delay_seconds = delay_seconds
        self.most_bytes = most_bytes
        self.passed_bytes = 0
        self.spent = asyncio.Event()
        host, _, port = target.rpartition(":")
        self._target = (host, int(port))
        self._pumps: set[asyncio.Task[None]] = set()
        self._writers: list[asyncio.StreamWriter] = []
        self.upstream_ports: set[int] = set()
        self.takes_new = asyncio.Event()
        self.takes_new.set()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._connect, "127.0.0.1", 0)
        self.address = f"127.0.0.1:{self._server.sockets[0].getsockname()[1]}"
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._server.close()
        self.hang_up()

    def fall_silent(self) -> None:
        """Passes nothing more on over the connections there are; new ones work."""
        for pump in tuple(self._pumps):
            pump.cancel()
        self.upstream_ports = set()

    def hang_up(self) -> None:
        """Breaks the connections there are; new ones work."""
        self.fall_silent()
        for writer in self._writers:
            writer.transport.abort()
        self._writers.clear()

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(self._delay_seconds)
        await self.takes_new.wait()
        upstream_reader, upstream_writer = await asyncio.open_connection(*self._target)
        self._writers += [writer, upstream_writer]
        self.upstream_ports.add(upstream_writer.get_extra_info("sockname")[1])
        for source, sink in ((reader, upstream_writer), (upstream_reader, writer)):
            pump = asyncio.create_task(self._pump(source, sink))
            self._pumps.add(pump)
            pump.add_done_callback(self._pumps.discard)

    async def _pump(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        try:
            while data := await source.read(READ_BYTES):
                if self.most_bytes is not None and self.passed_bytes >= self.most_bytes:
                    self.spent.set()
                    await asyncio.Event().wait()
                self.passed_bytes += len(data)
                sink.write(data)
                await sink.drain()
        except OSError:
            pass
        sink.close()
