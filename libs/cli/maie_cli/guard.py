"""Turns every error of a command into a sentence."""

from __future__ import annotations

from collections.abc import Callable

from maie_cli.console import complain
from maie_cli.exits import Exit, exit_of_os, os_sentence
from maie_cli.internal_errors import internal_error


def guarded(work: Callable[[], None]) -> int:
    """Runs a command to its end; returns the exit code."""
    try:
        work()
    except SystemExit as ended:
        return ended.code if isinstance(ended.code, int) else Exit.OK
    except BrokenPipeError:
        return Exit.FAILED  # the reader of the results has closed the pipe
    except OSError as error:
        complain(os_sentence(error))
        return exit_of_os(error)
    except Exception as error:  # noqa: BLE001 # its details go into a file, see internal_error()
        complain(internal_error(error))
        return Exit.FAILED
    return Exit.OK
