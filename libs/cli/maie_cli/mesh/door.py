"""Where the gateway of a local mesh listens, and how parts without an open port say they serve."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from maie_cli.mesh.errors import MeshError
from maie_cli.mesh.layout import Layout
from maie_runtime.rpc.callers.local_user import is_loopback

if TYPE_CHECKING:
    from maie_cli.mesh.parts import Part

CERT_FILE = "MAIE_GATEWAY_TLS_CERT_FILE"
KEY_FILE = "MAIE_GATEWAY_TLS_KEY_FILE"
PLAINTEXT = "MAIE_GATEWAY_PLAINTEXT"
# Between parts of one machine the kernel says who calls; a certificate would be the same for all.
BETWEEN_PARTS = ("MAIE_TLS_CERT_FILE", "MAIE_TLS_KEY_FILE", "MAIE_TLS_CA_FILE")


def with_door(gateway: Part, host: str) -> Part:
    """The gateway, listening at a host's address; the other parts stay on loopback.

    Args:
        gateway: The gateway on loopback.
        host: A host name or IP address of this machine.

    Raises:
        MeshError: Other machines reach it, and there is no certificate.
    """
    listen = f"{host}:{gateway.address.rpartition(':')[2]}"
    names = gateway.environment
    if not is_loopback(listen) and not names.get(CERT_FILE) and not names.get(PLAINTEXT):
        raise MeshError(
            f"Other machines reach {listen}, and there is no TLS: make a certificate (maie certs "
            f"create --name gateway=NAME), name it in {CERT_FILE} and {KEY_FILE}, and see "
            "docs/access.md for the keys of callers."
        )
    return replace(gateway, environment={**names, "MAIE_GATEWAY_LISTEN": listen})


def door_address(gateway: Part) -> str:
    """Where clients on this machine reach the gateway: HOST:PORT, with https:// for TLS."""
    names = gateway.environment
    has_tls = names.get(CERT_FILE) and not names.get(PLAINTEXT)
    return f"https://{names['MAIE_GATEWAY_LISTEN']}" if has_tls else gateway.address


def with_health_file(part: Part, layout: Layout) -> Part:
    """The part, with a health file where it has no port that anybody on this machine may ask."""
    without_port = part.environment.get(f"MAIE_{part.stage.upper()}_RPC") == "off"
    with_tls = part.stage == "gateway" and part.environment.get(CERT_FILE)
    if not without_port and not with_tls and part.stage != "web":
        return part
    file = layout.health_file(part.name)
    return replace(
        part,
        address="" if without_port else part.address,
        health_file=file,
        environment={**part.environment, "MAIE_HEALTH_FILE": str(file)},
    )
