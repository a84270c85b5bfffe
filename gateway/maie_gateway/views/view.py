"""How a message that units give is shown."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from maie.common.v1 import types_pb2 as common
from maie.job.v1 import job_pb2 as job
from maie.job.v1 import record_pb2 as record


def _no_segments(_: Any) -> Sequence[common.Segment]:
    return ()


def _no_engines(_: Any) -> Iterable[job.StageVersion]:
    return ()


@dataclass(kw_only=True, frozen=True, slots=True)
class View:
    """How a message that units give is shown.

    Attributes:
        show: Adds the outputs of units, in recording order, to a job's results and metrics. The
            outputs are empty where there are none yet, or no speech.
        warnings: The warnings about the outputs of units, in recording order.
        segments: The segments of one output, in recording order.
        engines: The engines that made one output.
        has_text: Whether the output has searchable text.
    """

    show: Callable[[job.Job, record.JobRecord, Sequence[Any]], None]
    warnings: Callable[[Sequence[Any]], list[common.Warning]]
    segments: Callable[[Any], Sequence[common.Segment]] = _no_segments
    engines: Callable[[Any], Iterable[job.StageVersion]] = _no_engines
    has_text: bool = False
