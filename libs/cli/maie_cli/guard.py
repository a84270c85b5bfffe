"""The last line before a person: whatever goes wrong becomes a sentence."""

from __future__ import annotations

from collections.abc import Callable

from maie_cli.console import complain
from maie_cli.exits import Exit, exit_of_os, os_sentence
from maie_cli.faults import fault


def guarded(work: Callable[[], None]) -> int:
    """Runs a piece of work to its end; gives the exit code."""
    try:
        work()
    except SystemExit as ended:
        return ended.code if isinstance(ended.code, int) else Exit.OK
    except BrokenPipeError:
        return Exit.FAILED  # whoever read the results has had enough
    except OSError as error:
        complain(os_sentence(error))
        return exit_of_os(error)
    except Exception as error:  # noqa: BLE001 # its details go into a file, see fault()
        complain(fault(error))
        return Exit.FAILED
    return Exit.OK
