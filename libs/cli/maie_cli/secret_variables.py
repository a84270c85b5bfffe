"""Secrets of commands: from a variable, or from a file that a variable names.

No option takes one: others on a machine see the arguments of a command, and a shell keeps them.
"""

from __future__ import annotations

import os
from pathlib import Path

from maie_cli.exits import Exit, leave
from maie_core.redaction import FILE

WHY = "others on this machine see the arguments of a command"


def secret_variable(name: str) -> str:
    """The value of a variable, or the content of the file that NAME_FILE names; empty for neither.

    Raises:
        typer.Exit: Both are set, or the file cannot be read.
    """
    value, file = os.environ.get(name, "").strip(), os.environ.get(f"{name}{FILE}", "")
    if value and file:
        leave(f"{name} and {name}{FILE} exclude each other: set one.", Exit.USAGE)
    return _content(f"{name}{FILE}", file) if file else value


def needed_secret(name: str, what: str) -> str:
    """As `secret_variable`, where the command needs one.

    Args:
        name: The variable.
        what: What it is, such as "the API key's secret".

    Raises:
        typer.Exit: Also: there is none.
    """
    found = secret_variable(name)
    if not found:
        leave(
            f"Name the file with {what} in {name}{FILE}, or set {name}; there is no option for it, "
            f"since {WHY}.",
            Exit.USAGE,
        )
    return found


def _content(name: str, file: str) -> str:
    try:
        return Path(file).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        problem = getattr(error, "strerror", None) or "it is no text"
        leave(f"{name} names {file}, which cannot be read: {problem}.", Exit.USAGE)
