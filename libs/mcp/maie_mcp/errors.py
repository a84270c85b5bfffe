"""Errors of a gateway as errors of tools, which models read."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from mcp.server.mcpserver.exceptions import ToolError

from maie_client import ClientError


@contextmanager
def tool_errors() -> Iterator[None]:
    """Raises errors of the gateway as ToolError, with their reason."""
    try:
        yield
    except ClientError as error:
        raise ToolError(f"{error.message} ({error.reason or error.code.name})") from error
