"""Unexpected errors of the command."""

from __future__ import annotations

import os
import tempfile
import traceback

from maie_core.redaction import environment_redactor


def internal_error(error: Exception) -> str:
    """A sentence about an internal error, with the path of the details.

    The details may contain text of a transcript, so they are written to a file that only
    its owner can read, and not to a screen or a log. They leave out secrets of the environment.
    """
    number, path = tempfile.mkstemp(prefix="maie-fault-", suffix=".txt")
    with os.fdopen(number, "w", encoding="utf-8", errors="replace") as file:
        file.write(environment_redactor()("".join(traceback.format_exception(error))))
    return f"maie has a fault ({type(error).__name__}); please report it with the details in {path}"
