"""The names that certificates of a mesh carry.

A certificate names its part twice. The URI says who calls; it has the form of a SPIFFE id, so that
certificates of a SPIFFE issuer fit. The DNS name says who answers: parts of a mesh check it instead
of the address, which changes whenever a worker is started elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterable

GATEWAY = "gateway"
WEB = "web"
OPERATOR = "operator"
PROVISION = "provision"
NATS = "nats"

_URI = "spiffe://maie/"
# Reserved for private use by ICANN: no public name can be the same.
_DOMAIN = "maie.internal"


def uri_of(part: str) -> str:
    """The URI of a part, such as spiffe://maie/asr."""
    return f"{_URI}{part}"


def server_name_of(part: str) -> str:
    """The DNS name that a part's certificate has, such as asr.maie.internal."""
    return f"{part}.{_DOMAIN}"


def part_of(uris: Iterable[str]) -> str:
    """The part that a certificate's URIs name; empty unless they name exactly one."""
    parts = [uri.removeprefix(_URI) for uri in uris if uri.startswith(_URI)]
    return parts[0] if len(parts) == 1 and "/" not in parts[0] else ""
