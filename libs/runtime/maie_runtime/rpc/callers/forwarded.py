"""What proxies say about where a request comes from, and how far that can be trusted."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from ipaddress import IPv6Address, ip_address

from maie_runtime.rpc.callers.socket_owner import Address

X_FORWARDED_FOR = "x-forwarded-for"
"""The header and the key of metadata with the addresses that each proxy saw, separated by commas:
https://developer.mozilla.org/en-US/docs/Web/HTTP/Reference/Headers/X-Forwarded-For"""
FORWARDED = "forwarded"
"""The same as a standard header: https://www.rfc-editor.org/rfc/rfc7239"""
MAX_HOPS = 32
"""The most proxies that are followed."""
_WORD = r"[-!#$%&'*+.^_`|~0-9A-Za-z]+"
_PAIR = rf'{_WORD}=(?:{_WORD}|"(?:[^"\\]|\\.)*")'
_ELEMENT = rf"[ \t]*{_PAIR}(?:[ \t]*;[ \t]*{_PAIR})*[ \t]*"
_HEADER = re.compile(rf"{_ELEMENT}(?:,{_ELEMENT})*")
_PORT = re.compile(r":\d{1,5}")


def origin(peer: Address, named: Sequence[str], is_trusted: Callable[[Address], bool]) -> Address:
    """Where a request comes from: the last address that no trusted proxy has.

    What is left of that address was said by who has it, and can be made up.

    Args:
        peer: Who has the connection.
        named: The addresses that proxies saw, in order; the last one is said by the peer.
        is_trusted: Whether an address is that of a proxy which says what it sees.
    """
    found = peer
    for text in reversed(named[-MAX_HOPS:]):
        before = parsed(text) if is_trusted(found) else None
        if before is None:
            break
        found = before
    return found


def in_list(values: Iterable[str]) -> list[str]:
    """The addresses in the values of `X-Forwarded-For`, in order."""
    return [each.strip() for value in values for each in value.split(",")]


def in_forwarded(values: Iterable[str]) -> list[str]:
    """The addresses in the values of `Forwarded`, in order; none where they are malformed."""
    text = ",".join(values)
    if not _HEADER.fullmatch(text):
        return []
    return [_for_of(each) for each in re.findall(_ELEMENT, text)]


def parsed(text: str) -> Address | None:
    """An address as proxies write it, such as `[2001:db8::1]:4711`; None where it is none."""
    if text.startswith("["):
        host, closed, rest = text[1:].partition("]")
        if not closed or (rest and not _PORT.fullmatch(rest)):
            return None
    else:
        host, rest = (text, "") if text.count(":") > 1 else text.partition(":")[::2]
        if rest and not _PORT.fullmatch(f":{rest}"):
            return None
    try:
        address = ip_address(host)
    except ValueError:
        return None
    if isinstance(address, IPv6Address):
        if address.scope_id is not None:
            return None
        return address.ipv4_mapped or address
    return address


def _for_of(element: str) -> str:
    # Pair by pair, since a quoted value may hold anything.
    for pair in re.findall(_PAIR, element):
        name, _, value = pair.partition("=")
        if name.lower() == "for":
            return value.strip('"')
    return ""
