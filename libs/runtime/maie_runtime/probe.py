"""Asks a health file: python -m maie_runtime.probe FILE [--alive]. Imports next to nothing.

Exits with 0 where the process serves, and with 1 where it does not, or hangs, or is gone. With
--alive, a process that does not serve yet, or does not any more, is well, too.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

SERVING = "SERVING"
NOT_SERVING = "NOT_SERVING"
# Five renewals late: the machine may be busy.
MAX_AGE_SECONDS = 10.0
_ALIVE = "--alive"


def probe(path: Path, *, alive: bool = False) -> str:
    """What a health file says against its process; empty where all is well.

    Args:
        path: The file that MAIE_HEALTH_FILE names.
        alive: Whether it is enough that the process lives.
    """
    try:
        age = time.time() - path.stat().st_mtime
        found = path.read_text()
    except OSError as error:
        return f"{path}: {error.strerror}"
    if age > MAX_AGE_SECONDS:
        return f"{path} is {age:.0f} s old: the process hangs"
    return "" if alive or found == SERVING else f"{path} says {found}"


def main(arguments: list[str]) -> int:
    """The command; see the module."""
    paths = [each for each in arguments if each != _ALIVE]
    if len(paths) != 1:
        print(__doc__, file=sys.stderr)
        return 2
    problem = probe(Path(paths[0]), alive=_ALIVE in arguments)
    if problem:
        print(problem, file=sys.stderr)
    return 1 if problem else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
