"""Goes into each process that vLLM starts, by the entry point `vllm.general_plugins`.

Such a process ends with its service, however that ended, and leaves word where it fails.
"""

from __future__ import annotations

import logging
import multiprocessing
import os
import threading
from multiprocessing.process import BaseProcess
from pathlib import Path

from maie_llm.vllm.environment import CAUSE_VARIABLE
from maie_llm.vllm.faults import words_of

ORPHAN_STATUS = 70
# Where the engine's process logs what it dies of.
ENGINE_LOGGER = "vllm.v1.engine.core"


def register() -> None:
    """Called by vLLM once in each of its processes, the service's own included."""
    parent = multiprocessing.parent_process()
    if parent is None:
        return
    threading.Thread(target=_end_with, args=(parent,), name="end-with-parent", daemon=True).start()
    cause = os.environ.get(CAUSE_VARIABLE)
    if cause:
        logging.getLogger(ENGINE_LOGGER).addHandler(_CauseHandler(Path(cause)))


def _end_with(parent: BaseProcess) -> None:
    # A pipe that the system closes with the parent, even after kill -9; nothing is polled.
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
