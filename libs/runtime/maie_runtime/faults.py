"""Faults on demand, for tests that break a mesh on purpose. Never for use.

`MAIE_FAULT` names points in the code and what happens there:

    MAIE_FAULT=worker.after_commit:kill,conductor.after_store:freeze@2

Each entry is POINT:ACTION, with @N for the Nth time that a process comes by
(each time where absent). Actions: `kill` (SIGKILL), `freeze` (SIGSTOP), `exit`
(ends at once with `EXIT_STATUS`), `error` (raises UNAVAILABLE). Where
`MAIE_FAULT_MARK` names a file, a fault happens only if it is the one that
creates the file: once, however often a supervisor starts the process again.
"""

from __future__ import annotations

import os
import signal
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

import structlog

from maie_runtime.errors import Code, StageError
from maie_runtime.reasons import Reason

log = structlog.get_logger()

VARIABLE = "MAIE_FAULT"
MARK_VARIABLE = "MAIE_FAULT_MARK"
EXIT_STATUS = 71
POINTS = (
    "worker.after_run",
    "worker.after_commit",
    "worker.after_publish",
    "worker.after_ack",
    "conductor.after_store",
    "conductor.after_publish",
    "submission.after_bind",
    "submission.after_upload",
    "submission.after_begin",
    "removal.after_traces",
    "removal.after_record",
)
"""Where a fault can happen: the calls of `fault` are the truth."""

Action = Literal["kill", "freeze", "exit", "error"]

# A process has one fault plan, and counts how often each of its points was passed.
_passed: Counter[str] = Counter()


@dataclass(kw_only=True, frozen=True, slots=True)
class Fault:
    """What happens at a point.

    Attributes:
        point: The point's name.
        action: What happens.
        time: The Nth passage that it happens at; 0 for each.
    """

    point: str
    action: Action
    time: int = 0


def planned(environment: Mapping[str, str] = os.environ) -> list[Fault]:
    """The faults that the environment asks for.

    Raises:
        ValueError: An entry cannot be read; the message names it.
    """
    entries = environment.get(VARIABLE, "").split(",")
    return [_read(entry.strip()) for entry in entries if entry.strip()]


def warn_of_faults() -> None:
    """Logs loudly which faults are planned; says nothing where none is.

    Raises:
        ValueError: An entry cannot be read.
    """
    for one in planned():
        log.error("fault.planned", point=one.point, action=one.action, time=one.time)


async def fault(point: str) -> None:
    """Does what `MAIE_FAULT` asks for at this point; nothing where it is unset.

    Raises:
        StageError: UNAVAILABLE with FAULT_INJECTED, where the action is `error`.
    """
    if not os.environ.get(VARIABLE):
        return
    _passed[point] += 1
    for one in planned():
        if one.point == point and one.time in (0, _passed[point]) and _is_first():
            log.error("fault.happens", point=point, action=one.action)
            _do(one.action)


def _read(entry: str) -> Fault:
    what, _, time = entry.partition("@")
    point, _, action = what.partition(":")
    if point not in POINTS or action not in get_args(Action) or not (time or "0").isdigit():
        raise ValueError(
            f"{VARIABLE}: {entry!r} is not POINT:ACTION or POINT:ACTION@N; points are "
            f"{', '.join(POINTS)}, actions {', '.join(get_args(Action))}."
        )
    return Fault(point=point, action=action, time=int(time or 0))  # type: ignore[arg-type]


def _is_first() -> bool:
    mark = os.environ.get(MARK_VARIABLE)
    if not mark:
        return True
    try:
        Path(mark).touch(exist_ok=False)
    except FileExistsError:
        return False
    return True


def _do(action: Action) -> None:
    if action == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    elif action == "freeze":
        os.kill(os.getpid(), signal.SIGSTOP)
    elif action == "exit":
        os._exit(EXIT_STATUS)
    else:
        raise StageError(
            Code.UNAVAILABLE, Reason.FAULT_INJECTED, f"{VARIABLE} asked for this error."
        )
