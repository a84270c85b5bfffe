"""Where each part of a local mesh serves its metrics, and how Prometheus finds them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from maie_cli.mesh.layout import Layout
from maie_cli.mesh.ports import Ports

if TYPE_CHECKING:
    from maie_cli.mesh.parts import Part

LISTEN = "MAIE_METRICS_LISTEN"


def with_metrics(parts: Iterable[Part], ports: Ports, layout: Layout) -> list[Part]:
    """Gives each process a port of its own for metrics, where the setting asks for them.

    The last part, the gateway, keeps the port of the setting; the others get free ones of the same
    host. `RUN/metrics.json` lists all, in the format of Prometheus' file_sd_configs.

    Args:
        parts: The parts that serve metrics, the gateway last.
        ports: Assigns ports.
        layout: The mesh's folder.

    Raises:
        MeshError: The port of the setting is taken.
    """
    *workers, gateway = parts
    layout.metrics_file.unlink(missing_ok=True)
    if not (listen := gateway.environment.get(LISTEN, "")):
        return [*workers, gateway]
    host, _, port = listen.rpartition(":")
    addresses = {gateway.name: _address(host, ports.take(int(port)))}
    addresses |= {part.name: _address(host, ports.take(0)) for part in workers}
    layout.metrics_file.write_text(json.dumps(_targets(addresses), indent=2))
    return [
        replace(part, environment={**part.environment, LISTEN: addresses[part.name]})
        for part in (*workers, gateway)
    ]


def _address(host: str, taken: str) -> str:
    return f"{host}:{taken.rpartition(':')[2]}"


def _targets(addresses: Mapping[str, str]) -> list[dict[str, object]]:
    return [{"targets": [address], "labels": {"part": name}} for name, address in addresses.items()]
