"""The two consoles: results on stdout, everything else on stderr."""

from __future__ import annotations

import os
import sys
from typing import TextIO

from rich.console import Console
from rich.text import Text

from maie_core.redaction import environment_redactor
from maie_formats.clean import plain

# The width of a table or a panel without a terminal.
PIPE_COLUMNS = 100


def _columns(stream: TextIO) -> int | None:
    return None if stream.isatty() or "COLUMNS" in os.environ else PIPE_COLUMNS


out = Console(highlight=False, markup=False, emoji=False, width=_columns(sys.stdout))
"""For results, so that pipes work."""
err = Console(stderr=True, highlight=False, markup=False, emoji=False, width=_columns(sys.stderr))
"""For progress, notes and errors."""


def complain(message: str) -> None:
    """Prints an error on stderr, in one line."""
    err.print(Text.assemble(("error: ", "bold red"), shown(message)), soft_wrap=True)


def warn(message: str) -> None:
    """Prints a warning on stderr, in one line."""
    err.print(Text.assemble(("warning: ", "bold yellow"), shown(message)), soft_wrap=True)


def note(message: str) -> None:
    """Prints a note on stderr, in one line."""
    err.print(Text(shown(message), style="dim"), soft_wrap=True)


def shown(message: str) -> str:
    """A message for a screen: one line, and without the secrets of the environment."""
    return environment_redactor()(plain(message))


def emit(text: str) -> None:
    """Writes a result to stdout unchanged."""
    sys.stdout.write(text if text.endswith("\n") else f"{text}\n")
    sys.stdout.flush()
