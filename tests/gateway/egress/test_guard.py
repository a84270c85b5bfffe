from __future__ import annotations

from collections.abc import Sequence
from ipaddress import ip_network

import pytest

from maie_core.errors import Code, StageError
from maie_gateway.egress.guard import UrlGuard, open_guard

pytestmark = pytest.mark.unit
NAMES = {
    "public.test": ["93.184.216.34"],
    "inside.test": ["10.0.0.1"],
    "half.test": ["93.184.216.34", "::1"],
    "empty.test": [],
}


async def resolve(host: str, port: int) -> Sequence[str]:
    if host not in NAMES:
        raise OSError("no such name")
    return NAMES[host]


@pytest.mark.parametrize(
    "url",
    [
        *("", "public.test", "//public.test/", "/etc/passwd", "file:///etc/passwd"),
        *("ftp://public.test/", "gopher://public.test/", "javascript:alert(1)", "http://"),
        *("http://user@public.test/", "http://user:pass@public.test/", "http://@public.test/"),
        *("http://public.test:0/", "http://public.test:99999/", "http://[::1/", "http:///x"),
        *("http://public.test/\r\nx: y", "http://public .test/", "http://public.test/\0"),
        *("http://127.0.0.1\\@public.test/", "http://[::ff]@/", "8http://[::f]0@"),
        *("http://127.0.0.1/", "https://169.254.169.254/latest/meta-data", "http://10.0.0.1:8080/"),
        *("http://[::1]/", "http://[::ffff:127.0.0.1]/", "http://[fe80::1%25eth0]/"),
        "http://①②⑦.⓪.⓪.①/",
        "http://public.test/" + "x" * 2048,
    ],
)
def test_urls_that_lead_elsewhere_are_refused(url: str) -> None:
    with pytest.raises(StageError) as caught:
        UrlGuard(resolve).parse(url)
    assert (caught.value.code, caught.value.reason) == (Code.INVALID_ARGUMENT, "URI_NOT_ALLOWED")


@pytest.mark.parametrize("host", ["inside.test", "half.test"])
async def test_a_name_is_refused_if_any_of_its_addresses_is(host: str) -> None:
    with pytest.raises(StageError, match="not public"):
        await UrlGuard(resolve).addresses(host, 80)


@pytest.mark.parametrize("host", ["absent.test", "empty.test"])
async def test_a_name_without_addresses_is_a_fault_that_may_pass(host: str) -> None:
    with pytest.raises(OSError, match="no"):
        await UrlGuard(resolve).addresses(host, 80)


@pytest.mark.parametrize("host", ["localhost", "127.1", "0x7f.1", "2130706433", "0177.0.0.1"])
async def test_the_system_resolver_hides_no_loopback(host: str) -> None:
    with open_guard(()) as guard, pytest.raises(StageError, match="not public"):
        await guard.addresses(host, 80)


async def test_allowed_networks_pass() -> None:
    guard = UrlGuard(resolve, [ip_network("10.0.0.0/8")])
    assert await guard.addresses("inside.test", 443) == ["10.0.0.1"]
    assert str(guard.parse("https://10.0.0.9/a?b=c")) == "https://10.0.0.9/a?b=c"
