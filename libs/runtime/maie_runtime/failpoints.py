"""Failpoints: injected failures for tests that break a mesh. Never for production.

`MAIE_FAULT` names points in the code and the action at each:

    MAIE_FAULT=worker.after_commit:kill,conductor.after_store:freeze@2

Each entry is POINT:ACTION, with @N for the Nth passage of the point in a process
(without it, every passage). Actions: `kill` (SIGKILL), `freeze` (SIGSTOP), `exit`
(ends at once with `EXIT_STATUS`), `error` (raises UNAVAILABLE). If
`MAIE_FAULT_MARK` names a file, an action is taken only if it creates the
file: once, no matter how often a supervisor restarts the process.
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

from maie_core.errors import Code, StageError
from maie_core.reasons import Reason

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
    "upload.before_commit",
    "upload.after_job",
    "removal.after_traces",
    "removal.before_key",
    "removal.after_record",
    "session.after_begin",
    "session.after_taken",
    "session.after_part",
    "session.before_refinement",
    "session.after_ended",
    "session.after_transcript",
    "session.after_audio",
    "finals.before_note",
    "finals.after_send",
)
"""The points, which are the arguments of the calls of `failpoint`."""

Action = Literal["kill", "freeze", "exit", "error"]

# The number of passages of each point in this process.
_passed: Counter[str] = Counter()


@dataclass(kw_only=True, frozen=True, slots=True)
class Failpoint:
    """The action at a point.

    Attributes:
        point: The point's name.
        action: The action.
        time: The number of the passage; 0 for each.
    """

    point: str
    action: Action
    time: int = 0


def planned(environment: Mapping[str, str] = os.environ) -> list[Failpoint]:
    """The failpoints in the environment.

    Raises:
        ValueError: An entry is invalid; the message names it.
    """
    entries = environment.get(VARIABLE, "").split(",")
    return [_read(entry.strip()) for entry in entries if entry.strip()]


def warn_of_failpoints() -> None:
    """Logs the active failpoints as errors, if there are any.

    Raises:
        ValueError: An entry is invalid.
    """
    for one in planned():
        log.error("fault.planned", point=one.point, action=one.action, time=one.time)


async def failpoint(point: str) -> None:
    """Takes the action of `MAIE_FAULT` at this point, if any.

    Raises:
        StageError: UNAVAILABLE with FAULT_INJECTED, if the action is `error`.
    """
    if not os.environ.get(VARIABLE):
        return
    _passed[point] += 1
    for one in planned():
        if one.point == point and one.time in (0, _passed[point]) and _is_first():
            log.error("fault.happens", point=point, action=one.action)
            _do(one.action)


def _read(entry: str) -> Failpoint:
    what, _, time = entry.partition("@")
    point, _, action = what.partition(":")
    if point not in POINTS or action not in get_args(Action) or not (time or "0").isdigit():
        raise ValueError(
            f"{VARIABLE}: {entry!r} is not POINT:ACTION or POINT:ACTION@N; points are "
            f"{', '.join(POINTS)}, actions {', '.join(get_args(Action))}."
        )
    return Failpoint(point=point, action=action, time=int(time or 0))  # type: ignore[arg-type]


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
