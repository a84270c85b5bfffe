"""The socket at which browsers and clients arrive."""

from __future__ import annotations

import socket

# Connections that wait to be accepted.
BACKLOG = 1024


def listen(place: str) -> socket.socket:
    """Listens at an address.

    What is written to a connection is sent at once (TCP_NODELAY). asyncio turns that on only for
    sockets that were made with the number of TCP's protocol, and those that are accepted have the
    listening one's, 0. Without it a small message waits for the other side to acknowledge the one
    before, which takes up to 40 ms on Linux.

    Args:
        place: HOST:PORT or [IPv6]:PORT; port 0 takes a free one.

    Raises:
        OSError: The address cannot be listened on.
    """
    host, _, port = place.rpartition(":")
    host = host.strip("[]")
    family, *_, address = socket.getaddrinfo(host, int(port), type=socket.SOCK_STREAM)[0]
    listening = socket.create_server(address[:2], family=family, backlog=BACKLOG)
    # Accepted connections inherit it.
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listening
