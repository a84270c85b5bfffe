"""Which addresses a gateway may connect to for clients."""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

Network = IPv4Network | IPv6Network

# All IPv6 addresses that are allocated for the public Internet (RFC 4291, section 2.4).
_GLOBAL_UNICAST = IPv6Network("2000::/3")


def may_be_reached(address: str, allowed: Sequence[Network]) -> bool:
    """Whether an address is on the public Internet or in an allowed network.

    An IPv4 address inside an IPv6 one (mapped, 6to4) is checked as IPv4; other
    embeddings (Teredo, NAT64, IPv4-compatible) are outside the public range.

    Args:
        address: An IPv4 or IPv6 address in its usual form.
        allowed: Private networks that may be reached.

    Returns:
        Whether it may be reached; False for text that is no address.
    """
    try:
        found = ip_address(address)
    except ValueError:
        return False
    if isinstance(found, IPv6Address) and found.ipv4_mapped:
        found = found.ipv4_mapped
    return any(found in network for network in allowed) or _is_public(found)


def _is_public(address: IPv4Address | IPv6Address) -> bool:
    if not address.is_global or address.is_multicast or address.is_reserved:
        return False
    if isinstance(address, IPv4Address):
        return True
    embedded = address.sixtofour
    return address in _GLOBAL_UNICAST and (embedded is None or _is_public(embedded))
