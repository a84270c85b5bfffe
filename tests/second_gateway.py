"""A second gateway of a mesh on this machine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

from maie_cli.mesh.child import Child
from maie_cli.mesh.local import LocalMesh
from maie_cli.mesh.parts import GATEWAY
from maie_cli.mesh.ports import Ports

SECOND_GATEWAY = "gateway-2"


async def start_second_gateway(
    mesh: LocalMesh, environment: Mapping[str, str] = MappingProxyType({})
) -> str:
    """Starts one like the first; both are parts of the mesh, which restarts and stops them.

    Args:
        mesh: The mesh.
        environment: What the second has besides the first's settings.

    Returns:
        Its address.
    """
    part = mesh.children[GATEWAY].part
    read_model = mesh.layout.root / "readmodel-2.db"
    address = Ports().take(0)
    own = {
        "MAIE_GATEWAY_LISTEN": address,
        "MAIE_GATEWAY_READ_MODEL_URL": f"sqlite:///{read_model}",
    }
    second = replace(
        part,
        name=SECOND_GATEWAY,
        address=address,
        environment={**part.environment, **environment, **own},
    )
    mesh.children[SECOND_GATEWAY] = Child(second, mesh.layout, lambda _: None)
    await mesh.start_part(SECOND_GATEWAY)
    return address
