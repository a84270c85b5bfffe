"""The folders whose recordings a model may submit."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from mcp.server.mcpserver.exceptions import ToolError


class Folders:
    """Knows which files are in folders that the user allowed.

    Args:
        allowed: The folders.

    Raises:
        OSError: One of them is not there.
    """

    def __init__(self, allowed: Iterable[Path]) -> None:
        self._allowed = tuple(folder.expanduser().resolve(strict=True) for folder in allowed)

    def __bool__(self) -> bool:
        return bool(self._allowed)

    def file(self, path: str) -> Path:
        """The file at a path, which is in an allowed folder, wherever links on the way lead.

        Args:
            path: An absolute path, or one from an allowed folder.

        Raises:
            ToolError: It is outside, or no file; which of both, nobody learns.
        """
        for folder in self._allowed:
            try:
                found = (folder / Path(path).expanduser()).resolve(strict=True)
            except (OSError, RuntimeError, ValueError):
                continue
            if found.is_file() and any(found.is_relative_to(each) for each in self._allowed):
                return found
        places = ", ".join(map(str, self._allowed))
        raise ToolError(f"There is no such file in the folders that may be read: {places}.")
