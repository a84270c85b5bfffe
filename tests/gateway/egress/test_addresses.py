from __future__ import annotations

from ipaddress import ip_network

import pytest

from maie_gateway.egress.addresses import may_be_reached

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    "address", ["93.184.216.34", "2606:2800:220:1::1", "::ffff:93.184.216.34", "2002:5db8:d822::1"]
)
def test_public_addresses_may_be_reached(address: str) -> None:
    assert may_be_reached(address, ())


@pytest.mark.parametrize(
    "address",
    [
        *("127.0.0.1", "127.255.0.9", "::1", "::ffff:127.0.0.1", "::127.0.0.1"),
        *("0.0.0.0", "0.1.2.3", "::", "::ffff:0.0.0.0"),
        *("10.1.2.3", "172.16.0.1", "192.168.1.1", "::ffff:10.0.0.1", "::ffff:a00:1"),
        *("169.254.169.254", "fe80::1", "fe80::1%eth0", "::ffff:169.254.169.254"),
        *("fc00::1", "fd12:3456::1", "fec0::1"),
        *("100.64.0.1", "192.0.0.1", "192.0.2.1", "198.18.0.1", "198.51.100.1", "203.0.113.1"),
        *("224.0.0.1", "239.255.255.250", "ff02::1", "ff0e::1"),
        *("240.0.0.1", "255.255.255.255"),
        *("64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "2002:7f00:1::", "2002:a00:1::1"),
        *("2001::7f00:1", "2001:db8::1", "100::1"),
        *("", "localhost", "127.1", "0x7f000001", "2130706433", "0177.0.0.1"),
    ],
)
def test_addresses_that_are_not_public_may_not(address: str) -> None:
    assert not may_be_reached(address, ())


def test_a_setting_allows_networks_and_no_more() -> None:
    allowed = [ip_network("10.20.0.0/16"), ip_network("fd00:1::/32")]
    assert may_be_reached("10.20.3.4", allowed)
    assert may_be_reached("::ffff:10.20.3.4", allowed)
    assert may_be_reached("fd00:1::9", allowed)
    assert not may_be_reached("10.21.0.1", allowed)
    assert not may_be_reached("fd00:2::9", allowed)
