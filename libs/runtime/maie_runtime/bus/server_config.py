"""The configuration of a nats-server for a mesh.

It is in two files. `accounts.conf` says who may do what, and is the same for every server. What is
special to a server, such as where it listens, is in `nats-server.conf`, which includes the other:
an operator with a configuration of their own includes it there, and needs no more of this module.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from maie_runtime.bus.accounts import SYSTEM, accounts

ACCOUNTS_FILE = "accounts.conf"
SERVER_FILE = "nats-server.conf"
DEFAULT_LISTEN = "127.0.0.1:4222"
# The default is three quarters of the free space at its start: a server that is restarted on a
# fuller disk would refuse writes with space left. Only the disk limits it.
NO_LIMIT_BYTES = 1 << 50
_HEAD = """\
# {title}
# Made by `maie nats config`, which writes it anew; do not edit it.

"""


@dataclass(kw_only=True, frozen=True, slots=True)
class ServerTls:
    """The files with which a server does TLS, in PEM.

    Attributes:
        certificate: Its certificate, with those between it and the CA.
        key: The private key.
        ca: The CA of the clients' certificates. None: clients need none.
    """

    certificate: Path
    key: Path
    ca: Path | None = None


@dataclass(kw_only=True, frozen=True, slots=True)
class Cluster:
    """The cluster that a server belongs to. Its servers know each other by mutual TLS.

    Attributes:
        name: The cluster's name.
        listen: HOST:PORT for the other servers.
        routes: The URLs of the other servers, such as "nats://nats-2:6222".
    """

    name: str
    listen: str
    routes: tuple[str, ...]


@dataclass(kw_only=True, frozen=True, slots=True)
class Server:
    """What is special to one server.

    Attributes:
        name: Its name, unique in its cluster.
        listen: HOST:PORT for clients.
        store: The folder of JetStream.
        tls: How it does TLS; None for none.
        cluster: Its cluster; None where it is the only server.
    """

    store: Path
    name: str = "maie"
    listen: str = DEFAULT_LISTEN
    tls: ServerTls | None = None
    cluster: Cluster | None = None


def accounts_text(keys: Mapping[str, str], gpus: Mapping[str, Iterable[str]] | None = None) -> str:
    """The text of `accounts.conf`; see `accounts.accounts` for the arguments."""
    content = {"accounts": accounts(keys, gpus), "system_account": SYSTEM}
    return _text("Who may do what in NATS: an account for each part of a mesh.", content)


def server_text(server: Server) -> str:
    """The text of `nats-server.conf`. It opens no port for monitoring, which has no password."""
    content: dict[str, Any] = {
        "server_name": server.name,
        "listen": server.listen,
        "jetstream": {
            "store_dir": str(server.store),
            # The default of two minutes could lose acknowledged writes.
            "sync_interval": "always",
            "max_file_store": NO_LIMIT_BYTES,
        },
    }
    if server.tls:
        content["tls"] = _tls(server.tls)
    if server.cluster:
        content["cluster"] = _cluster(server.cluster, server.tls)
    return _text("A nats-server for a mesh.", content) + f"include {ACCOUNTS_FILE}\n"


def _tls(tls: ServerTls) -> dict[str, Any]:
    files = {"cert_file": str(tls.certificate), "key_file": str(tls.key)}
    return files if tls.ca is None else files | {"ca_file": str(tls.ca), "verify": True}


def _cluster(cluster: Cluster, tls: ServerTls | None) -> dict[str, Any]:
    if tls is None or tls.ca is None:
        # A program that reaches that port without them is a server of the cluster, with all of its
        # accounts.
        raise ValueError("a cluster needs a certificate, a key and a CA")
    return {
        "name": cluster.name,
        "listen": cluster.listen,
        "routes": list(cluster.routes),
        "tls": _tls(tls),
    }


def _text(title: str, content: Mapping[str, Any]) -> str:
    """The fields one after another, each as JSON, which nats-server reads."""
    fields = (
        f"{name}: {json.dumps(value, indent=2, ensure_ascii=False)}\n"
        for name, value in content.items()
    )
    return _HEAD.format(title=title) + "".join(fields)
