"""From where requests come, which gateways are to know."""

from __future__ import annotations

from maie_runtime.rpc.callers.forwarded import FORWARDED, X_FORWARDED_FOR, in_forwarded, in_list
from maie_runtime.rpc.callers.proxies import TrustedProxies
from maie_web.sessions.session import AnyConnection

_READERS = {X_FORWARDED_FOR: in_list, FORWARDED: in_forwarded}
PROXY_HEADERS = tuple(_READERS)


class Origins:
    """Tells from where requests come.

    Only one header is read: a proxy that sets the one passes the other on as a client sent it.

    Args:
        proxies: The proxies before the web part.
        header: The header that they set, of `PROXY_HEADERS`.
    """

    def __init__(self, proxies: TrustedProxies, header: str) -> None:
        self._proxies = proxies
        self._header = header

    def of(self, connection: AnyConnection) -> str:
        """The address that a request comes from; empty where it comes over no network."""
        if connection.client is None:
            return ""
        named = _READERS[self._header](connection.headers.getall(self._header, []))
        found = self._proxies.origin(peer_of(connection), named)
        return str(found or "")


def peer_of(connection: AnyConnection) -> str:
    """Who has the connection of a request, as gRPC writes it; empty where nobody knows."""
    if connection.client is None:
        return ""
    host, port = connection.client.host, connection.client.port
    return f"ipv6:[{host}]:{port}" if ":" in host else f"ipv4:{host}:{port}"
