"""The gateway that a command talks to."""

from __future__ import annotations

import os
from pathlib import Path

from maie_client import Client, Tls
from maie_client.credentials import Token
from maie_client.tls import SCHEME, answers_with_tls

CA_FILE = "MAIE_CA_FILE"
TLS = "MAIE_TLS"
API_KEY = "MAIE_API_KEY"
API_KEY_FILE = "MAIE_API_KEY_FILE"
_YES = frozenset({"1", "true", "yes", "on"})


def gateway_client(address: str, tenant: str = "", *, key_file: Path | None = None) -> Client:
    """The client of a gateway, with the environment's certificates and credentials.

    Args:
        address: HOST:PORT, with https:// for TLS.
        tenant: The tenant of the jobs; empty: that of the key, or the gateway's default tenant.
        key_file: The file with an API key; unset: what the environment says.
    """
    return Client(address, tls=_tls(address), tenant=tenant, token=_token(key_file))


def _token(key_file: Path | None) -> Token:
    """The API key or token of MAIE_API_KEY, or of the file that MAIE_API_KEY_FILE names.

    There is no option for it: other users of a machine see the arguments of a command. The file
    is read for each call, since a token in it may be renewed.
    """
    file = key_file or os.environ.get(API_KEY_FILE, "")
    if key_file is None and (key := os.environ.get(API_KEY, "").strip()):
        return key
    return (lambda: Path(file).read_text(encoding="utf-8").strip()) if file else ""


def wants_tls(address: str) -> bool:
    """Whether commands talk TLS with this address."""
    return _tls(address) is not None


def takes_tls_only(address: str) -> bool:
    """Whether a server that gave no answer would give one over TLS; asks it.

    Args:
        address: Its address; one with https:// was asked that way already.
    """
    return not address.startswith(SCHEME) and answers_with_tls(address)


def _tls(address: str) -> Tls | None:
    """TLS where the address, MAIE_TLS or MAIE_CA_FILE says so."""
    ca_file = os.environ.get(CA_FILE, "")
    if ca_file or address.startswith(SCHEME) or os.environ.get(TLS, "").lower() in _YES:
        return Tls(ca_file=Path(ca_file) if ca_file else None)
    return None
