"""Where a request comes from is what trusted proxies say, and nothing that a client makes up."""

from __future__ import annotations

import asyncio
from ipaddress import ip_address, ip_network

import pytest

from maie_runtime.rpc.callers.forwarded import MAX_HOPS, in_forwarded, in_list, origin, parsed
from maie_runtime.rpc.callers.proxies import TrustedProxies, check_proxies
from maie_runtime.rpc.callers.socket_owner import Address
from tests.waiting import PATIENCE_SECONDS

pytestmark = pytest.mark.unit

PROXY = "10.0.0.1"
CLIENT = "203.0.113.9"


def found(*values: str, peer: str = PROXY) -> str:
    """Where a request comes from, whose proxies are all of 10.0.0.0/8 and of fd00::/8."""

    def is_trusted(address: Address) -> bool:
        return address in ip_network("10.0.0.0/8") or address in ip_network("fd00::/8")

    return str(origin(ip_address(peer), in_list(values), is_trusted))


@pytest.mark.parametrize(
    ("values", "address"),
    [
        ((), PROXY),
        ((CLIENT,), CLIENT),
        ((f"{CLIENT}:4711",), CLIENT),
        (("2001:db8::1",), "2001:db8::1"),
        (("[2001:db8::1]:4711",), "2001:db8::1"),
        (("::ffff:203.0.113.9",), CLIENT),
        # What a client sends comes first, and the proxy's own word last.
        ((f"6.6.6.6, {CLIENT}",), CLIENT),
        (("6.6.6.6", CLIENT), CLIENT),
        # A chain of proxies: the right-most address of no proxy counts.
        ((f"6.6.6.6, {CLIENT}, fd00::2, 10.0.0.3",), CLIENT),
        ((f"{PROXY}, {CLIENT}, 10.0.0.3",), CLIENT),
        # Behind proxies alone, the first of them.
        (("10.0.0.9, 10.0.0.3",), "10.0.0.9"),
        # What is no address says nothing, and nothing before it counts.
        (("6.6.6.6, unknown",), PROXY),
        (("6.6.6.6, unknown, 10.0.0.3",), "10.0.0.3"),
        (("6.6.6.6,",), PROXY),
        (("",), PROXY),
        (("6.6.6.6, <script>",), PROXY),
        (("fe80::1%eth0",), PROXY),
    ],
)
def test_the_last_address_of_no_proxy_counts(values: tuple[str, ...], address: str) -> None:
    assert found(*values) == address


def test_nobody_but_a_proxy_is_believed() -> None:
    assert found(CLIENT, peer="198.51.100.7") == "198.51.100.7"


def test_only_so_many_proxies_are_followed() -> None:
    assert found(", ".join([CLIENT, *["10.0.0.3"] * MAX_HOPS])) == "10.0.0.3"


@pytest.mark.parametrize(
    ("values", "named"),
    [
        (("for=192.0.2.60;proto=http;by=203.0.113.43",), ["192.0.2.60"]),
        (('For="[2001:db8:cafe::17]:4711"',), ["[2001:db8:cafe::17]:4711"]),
        (("for=192.0.2.43, for=198.51.100.17",), ["192.0.2.43", "198.51.100.17"]),
        (("for=192.0.2.43", "proto=https"), ["192.0.2.43", ""]),
        (("for=unknown, for=_hidden",), ["unknown", "_hidden"]),
        # A comma within quotes is no proxy's.
        (('for=1.2.3.4;host="a, for=6.6.6.6"',), ["1.2.3.4"]),
        (('for=1.2.3.4;host="a;for=6.6.6.6"',), ["1.2.3.4"]),
        (('host="a;for=6.6.6.6";for=1.2.3.4',), ["1.2.3.4"]),
        # A client's open quote swallows nothing: nobody is named.
        (('for=6.6.6.6;host="', 'for=1.2.3.4;host="h"'), []),
        (("6.6.6.6",), []),
    ],
)
def test_the_standard_header_is_read(values: tuple[str, ...], named: list[str]) -> None:
    assert in_forwarded(values) == named


@pytest.mark.parametrize("text", ["", "a", "1.2.3", "1.2.3.4:x", "[::1", "[::1]x", "[::1]:123456"])
def test_what_is_no_address_is_none(text: str) -> None:
    assert parsed(text) is None


@pytest.mark.parametrize(
    "entry", ["", "a b", "10.0.0", "10.0.0.0/33", "10.0.0.1/8", "0.0.0.0/0", "::/0"]
)
def test_what_names_no_proxy_is_refused(entry: str) -> None:
    with pytest.raises(ValueError, match="names no proxy"):
        check_proxies((entry,))


def test_networks_addresses_names_and_the_local_user_are_proxies() -> None:
    entries = ("10.0.0.0/8", "192.0.2.1", "fd00::/8", "web", "web-1.mesh.svc", "local-user")
    assert check_proxies(entries) == entries


async def test_a_name_is_looked_up() -> None:
    proxies = TrustedProxies(["localhost"])
    assert str(proxies.origin("ipv4:127.0.0.1:4711", [CLIENT])) == "127.0.0.1"
    async with proxies.running():
        async with asyncio.timeout(PATIENCE_SECONDS):
            while str(proxies.origin("ipv4:127.0.0.1:4711", [CLIENT])) != CLIENT:
                await asyncio.sleep(0.01)
    assert proxies.origin("unix:/run/socket", [CLIENT]) is None
