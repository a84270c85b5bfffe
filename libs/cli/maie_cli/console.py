"""The two consoles: results on stdout, everything else on stderr."""

from __future__ import annotations

import sys

from rich.console import Console
from rich.text import Text

from maie_cli.formats.clean import plain

out = Console(highlight=False, markup=False, emoji=False, soft_wrap=True)
"""For results, so that pipes work."""
err = Console(stderr=True, highlight=False, markup=False, emoji=False)
"""For progress, notes and errors."""


def complain(message: str) -> None:
    """Says on stderr what is wrong, in one line."""
    err.print(Text.assemble(("error: ", "bold red"), plain(message)), soft_wrap=True)


def note(message: str) -> None:
    """Says something on stderr, in one line."""
    err.print(Text(plain(message), style="dim"), soft_wrap=True)


def emit(text: str) -> None:
    """Writes a result to stdout as it is."""
    sys.stdout.write(text if text.endswith("\n") else f"{text}\n")
    sys.stdout.flush()
