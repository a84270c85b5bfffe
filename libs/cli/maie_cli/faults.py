"""Errors that nobody expected."""

from __future__ import annotations

import os
import tempfile
import traceback


def fault(error: Exception) -> str:
    """A sentence about a fault of the command itself, which says where the details are.

    They may hold words of a transcript, so that they go into a file of their
    owner's alone and not onto a screen or into a log.
    """
    number, path = tempfile.mkstemp(prefix="maie-fault-", suffix=".txt")
    with os.fdopen(number, "w", encoding="utf-8", errors="replace") as file:
        traceback.print_exception(error, file=file)
    return f"maie has a fault ({type(error).__name__}); please report it with the details in {path}"
