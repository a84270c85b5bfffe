"""vLLM's plugin in each process that it starts, by the entry point `vllm.general_plugins`.

It ends the process together with its service, and records the cause of a failure in a file.
"""

from __future__ import annotations

import logging
import multiprocessing
import os
import threading
from multiprocessing.process import BaseProcess
from pathlib import Path

from maie_llm.vllm.environment import CAUSE_VARIABLE
from maie_llm.vllm.errors import words_of

ORPHAN_STATUS = 70
# The logger of fatal errors in the engine's process.
ENGINE_LOGGER = "vllm.v1.engine.core"


def register() -> None:
    """Called by vLLM once in each of its processes, and in the service's own."""
    parent = multiprocessing.parent_process()
    if parent is None:
        return
    threading.Thread(target=_end_with, args=(parent,), name="end-with-parent", daemon=True).start()
    cause = os.environ.get(CAUSE_VARIABLE)
    if cause:
        logging.getLogger(ENGINE_LOGGER).addHandler(_CauseHandler(Path(cause)))


def _end_with(parent: BaseProcess) -> None:
    # Waits on a pipe that the system closes with the parent, even after kill -9.
    parent.join()
    os._exit(ORPHAN_STATUS)


class _CauseHandler(logging.Handler):
    """Writes the first error with an exception to a file."""

    def __init__(self, path: Path) -> None:
        super().__init__(logging.ERROR)
        self._path = path

    def emit(self, record: logging.LogRecord) -> None:
        error = record.exc_info[1] if record.exc_info else None
        if error is not None:
            self._path.write_text(words_of(error), encoding="utf-8")
