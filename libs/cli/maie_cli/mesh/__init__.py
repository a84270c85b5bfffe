"""A whole mesh on this machine: every part a process of its own, looked after."""

from maie_cli.mesh.errors import MeshError
from maie_cli.mesh.layout import DEFAULT_DATA, Layout
from maie_cli.mesh.local import LocalMesh
from maie_cli.mesh.parts import GATEWAY_PORT, MeshOptions

__all__ = ["DEFAULT_DATA", "GATEWAY_PORT", "Layout", "LocalMesh", "MeshError", "MeshOptions"]
