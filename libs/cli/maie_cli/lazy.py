"""Imports each command on demand, for a fast start."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib import import_module
from typing import Any

from typer.main import get_command

PACKAGE = "maie_cli.commands"


class LazyCommands(Mapping[str, Any]):
    """The commands of a group by name.

    Args:
        modules: The module of `maie_cli.commands` that holds each command as its `app`, by the
            command's name, in the order of the help.
    """

    def __init__(self, modules: Mapping[str, str]) -> None:
        self._modules = modules
        self._commands: dict[str, Any] = {}

    def __getitem__(self, name: str) -> Any:
        if name not in self._commands:
            module = import_module(f"{PACKAGE}.{self._modules[name]}")
            command = get_command(module.app)
            command.name = name
            self._commands[name] = command
        return self._commands[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._modules)

    def __len__(self) -> int:
        return len(self._modules)
