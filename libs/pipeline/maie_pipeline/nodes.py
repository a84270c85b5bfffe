"""A node of a pipeline: a kind of unit, what it needs and how its request is made."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import TypeAlias

from google.protobuf.message import Message

from maie.common.v1 import types_pb2 as common
from maie.event.v1 import event_pb2 as event
from maie.job.v1 import job_pb2 as job
from maie.job.v1 import record_pb2 as record


class Scope(Enum):
    """How many units a node has in a job."""

    JOB = "job"
    """One, from the job's acceptance on; of a recording, it works on all of it."""
    CHUNK = "chunk"
    """One for each chunk, once the recording is cut."""
    JOIN = "join"
    """One, once the recording is cut; it reads the units of all chunks."""


MakeRequest: TypeAlias = Callable[[record.JobRecord, record.Unit, Sequence[record.Unit]], Message]
"""Makes a unit's request from the job's record, the unit, and the units that it needs."""


@dataclass(kw_only=True, frozen=True, slots=True)
class Node:
    """A kind of unit.

    Attributes:
        name: The name of its unit, or what comes before the chunk's number: "asr" has the
            units "asr.0000", "asr.0001" and so on.
        stage: The stage that runs its units.
        scope: How many units it has.
        state: The state of a job while units of this node's stage are the first that are not over.
        request: Makes the request of a unit. None for a node without tasks: who made the job
            works on its units and reports their end.
        output: The message that a unit's output holds, which says how it is shown.
        shown: Whether clients see the output. Of several nodes with the same message, they see
            the last that gave one for a chunk.
        needs: The earlier nodes whose outputs a unit reads. Of each group, the first node that
            has units in the job. A unit of a chunk needs the unit of the same chunk, or the one
            of the whole job; a unit that joins needs those of all chunks.
        features: The features that want it; empty where every job does.
        min_chunks: The fewest chunks of a recording for which it has units.
        cuts: Whether its result says how many chunks there are.
        given: Whether the unit that cuts gives the outputs of its units, one for each chunk, so
            that they are complete from the beginning.
        unneeded: Says by the facts of what a unit needs that its output can serve in place of
            the unit's own, so that the unit is skipped.
    """

    name: str
    stage: common.Stage
    scope: Scope
    state: job.JobState
    request: MakeRequest | None
    output: type[Message]
    shown: bool = True
    needs: tuple[tuple[str, ...], ...] = ()
    features: frozenset[job.Feature] = frozenset()
    min_chunks: int = 0
    cuts: bool = False
    given: bool = False
    unneeded: Callable[[event.UnitFacts], bool] | None = None

    @property
    def begins(self) -> bool:
        """Whether a job begins with its unit: that is pending until a worker starts."""
        return self.has_tasks and self.scope is Scope.JOB and not self.needs

    @property
    def has_tasks(self) -> bool:
        """Whether workers run its units."""
        return self.request is not None

    def is_wanted(self, config: job.JobConfig) -> bool:
        """Whether a job with this config has it."""
        return not self.features or self.is_added(config.features)

    def is_added(self, features: Iterable[job.Feature]) -> bool:
        """Whether one of these features, which a job has besides its config, wants it."""
        return not self.features.isdisjoint(features)


def node_name(unit: str) -> str:
    """The name of a unit's node: "asr" for "asr.0003", "summary.reduce" for itself."""
    head, _, chunk = unit.rpartition(".")
    return head if chunk.isdecimal() else unit
