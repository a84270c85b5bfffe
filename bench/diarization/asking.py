"""The other side of `bench.diarization.serving`: starts a process and asks it."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bench.meshes import ROOT


class AnswerError(Exception):
    """A process gave a reason instead of an answer, or ended."""


class Asked:
    """A process that answers lines of JSON.

    Args:
        process: The process, with pipes for standard input and output.
        log: Where its standard error goes.
    """

    def __init__(self, process: subprocess.Popen[str], log: Path) -> None:
        self._process = process
        self._log = log

    def answer(self) -> Mapping[str, Any]:
        """The next line.

        Raises:
            AnswerError: It is an error, or the process ended.
        """
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            last = self._log.read_text(errors="replace").strip().splitlines()
            raise AnswerError(f"It ended: {last[-1] if last else 'without a word'}")
        found: Mapping[str, Any] = json.loads(line)
        if "error" in found:
            raise AnswerError(found["error"])
        return found

    def ask(self, question: Mapping[str, Any]) -> Mapping[str, Any]:
        """Asks and waits for the answer.

        Raises:
            AnswerError: The answer is an error, or the process ended.
        """
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps(question) + "\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            pass  # it ended, and the log has why
        return self.answer()


@contextmanager
def asked(command: Sequence[str], log: Path) -> Iterator[Asked]:
    """A process that runs in the checkout until the block ends.

    Args:
        command: Its command line.
        log: A file for what it prints apart from answers.
    """
    with log.open("w") as errors:
        process = subprocess.Popen(
            command,
            cwd=ROOT,
            env=dict(os.environ),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        )
    try:
        yield Asked(process, log)
    finally:
        process.kill()
        process.communicate()
