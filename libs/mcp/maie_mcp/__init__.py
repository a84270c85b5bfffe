"""Jobs of a mesh for language models, over the Model Context Protocol (MCP)."""

from __future__ import annotations

from maie_mcp.folders import Folders
from maie_mcp.server import make_server

__all__ = ["Folders", "make_server"]
