"""Runs a module whose threads bear their names in /proc: `python -m bench._named_threads MODULE`.

Python 3.11 does not pass them to the kernel. Threads that a library starts are named as the one
that started them.
"""

from __future__ import annotations

import runpy
import sys
import threading
from contextlib import suppress
from pathlib import Path

# The kernel keeps so many characters.
MAX_NAME = 15


def main() -> None:
    """Runs the module as a program."""
    start = threading.Thread.start

    def start_named(self: threading.Thread) -> None:
        start(self)
        # A thread may have ended already.
        with suppress(FileNotFoundError, ProcessLookupError):
            Path(f"/proc/self/task/{self.native_id}/comm").write_text(self.name[:MAX_NAME])

    threading.Thread.start = start_named  # type: ignore[method-assign]
    del sys.argv[0]
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
