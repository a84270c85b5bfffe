"""How a product is asked: a process of its own that answers lines of JSON.

It needs nothing but Python, so that it works in the environments of the products too.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

Spoken = tuple[float, float, str]
"""A turn as JSON has it: start and end in seconds, and the speaker."""

Listen = Callable[[str, int | None], Sequence[Spoken]]
"""Finds the turns of a WAV file (16 kHz, mono, 16 bits), of a known number of speakers or not."""


Answer = Callable[[Mapping[str, Any]], dict[str, Any]]
"""Answers a line of JSON."""


def serve(load: Callable[[], Listen]) -> None:
    """Loads a product and answers `{"path", "speakers"}`, as `serve_answers` does."""

    def answering() -> Answer:
        listen = load()

        def answer(question: Mapping[str, Any]) -> dict[str, Any]:
            turns = listen(question["path"], question["speakers"])
            return {"turns": [[float(start), float(end), str(who)] for start, end, who in turns]}

        return answer

    serve_answers(answering)


def serve_answers(load: Callable[[], Answer]) -> None:
    """Loads a product and answers questions until standard input ends.

    The first line written is `{}`; each further one has the answer, the seconds that it took by
    the clock and of processors, and the most memory meanwhile in MB. What fails is a line
    `{"error"}` instead.
    """
    answers = _own_output()

    def write(found: Mapping[str, Any]) -> None:
        answers.write(json.dumps(found) + "\n")
        answers.flush()

    try:
        answer = load()
    except Exception as error:  # noqa: BLE001 - the reason is in the table
        write({"error": _reason(error)})
        return
    write({})
    for line in sys.stdin:
        try:
            write(_measured(answer, json.loads(line)))
        except Exception as error:  # noqa: BLE001 - and goes on with the next
            write({"error": _reason(error)})


def _measured(answer: Answer, question: Mapping[str, Any]) -> dict[str, Any]:
    forget_peak()
    clock, processor = time.monotonic(), time.process_time()
    return answer(question) | {
        "seconds": time.monotonic() - clock,
        "processor_seconds": time.process_time() - processor,
        "peak_mb": peak_mb(),
    }


def _own_output() -> Any:
    """Standard output for the answers alone; what a product prints goes to standard error."""
    own = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    return own


def forget_peak() -> None:
    """Lets `peak_mb` begin anew."""
    with open("/proc/self/clear_refs", "w") as file:
        file.write("5")  # resets the peak of the resident set (man 5 proc)


def peak_mb() -> float:
    """The most memory since `forget_peak` or the process's start, in MB."""
    with open("/proc/self/status") as file:
        return next(int(line.split()[1]) / 1000 for line in file if line.startswith("VmHWM"))


def _reason(error: Exception) -> str:
    lines = str(error).strip().splitlines() or [""]
    return f"{type(error).__name__}: {lines[0]}"[:300]
