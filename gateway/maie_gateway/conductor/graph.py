"""A job's graph, from its record: the pipeline, the units and their needs."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from maie.common.v1 import types_pb2 as common
from maie.job.v1 import job_pb2 as job
from maie.job.v1 import record_pb2 as record
from maie_core.errors import Code, StageError
from maie_core.reasons import Reason
from maie_pipeline.nodes import Node
from maie_pipeline.pipeline import Pipeline, places_by_node
from maie_pipeline.pipelines import pipeline_of
from maie_pipeline.states import ENDED_STATES, rank


class Graph:
    """The units of a record, by name.

    It does not see units that are appended to the record later.

    Raises:
        StageError: FAILED_PRECONDITION with PIPELINE_UNKNOWN or STAGE_UNKNOWN: a later release
            wrote the record. Only methods that need the pipeline raise it.
    """

    def __init__(self, source: record.JobRecord) -> None:
        self._source = source
        self._units = {unit.unit: unit for unit in source.units}
        self._pipeline = pipeline_of(source)

    def __getitem__(self, name: str) -> record.Unit:
        return self._units[name]

    @property
    def pipeline(self) -> Pipeline:
        """The job's pipeline."""
        if self._pipeline is None:
            raise pipeline_unknown(self._source.pipeline)
        return self._pipeline

    def node(self, unit: record.Unit) -> Node:
        """The node of a unit."""
        node = self.pipeline.node(unit.unit)
        if node is None or node.stage != unit.stage:
            raise stage_unknown(self._source.job_id, unit.unit, unit.stage)
        return node

    def state(self, open_stages: Collection[common.Stage]) -> job.JobState:
        """The state of a job whose unfinished units, at least one, are of these stages."""
        nodes = [node for node in self.pipeline.nodes if node.stage in open_stages]
        unknown = set(open_stages).difference(node.stage for node in nodes)
        if unknown:
            unit = next(unit for unit in self._source.units if unit.stage in unknown)
            raise stage_unknown(self._source.job_id, unit.unit, unit.stage)
        # A job is pending until a worker has begun its first unit.
        if any(node.begins and self._is_open(node.name) for node in nodes):
            return job.JOB_STATE_PENDING
        return min((node.state for node in nodes), key=rank)

    def _is_open(self, name: str) -> bool:
        return name in self._units and self._units[name].state not in ENDED_STATES

    def needs(self, unit: record.Unit) -> list[record.Unit]:
        """The units whose outputs a unit reads, in the order in which it reads them."""
        if unit.HasField("needs"):
            places: Sequence[int] = unit.needs.places
        else:
            places = self._needed(unit, places_by_node(self._source.units))
        return [self._source.units[place] for place in places]

    def keep_needs(self) -> None:
        """Adds the pipeline and the units' needs to a record of an earlier release."""
        units = self._source.units
        # All units of a record get their needs at once.
        if not units or units[-1].HasField("needs"):
            return
        self._source.pipeline = self.pipeline.name
        by_node = places_by_node(units)
        for unit in units:
            if not unit.HasField("needs"):
                unit.needs.CopyFrom(record.UnitNeeds(places=self._needed(unit, by_node)))
                unit.needs.SetInParent()

    def _needed(self, unit: record.Unit, by_node: Mapping[str, Sequence[int]]) -> list[int]:
        return self.pipeline.needed(self.node(unit), unit.index, by_node)


def pipeline_unknown(name: str) -> StageError:
    """The error for a job of a pipeline that this version does not have."""
    return StageError(
        Code.FAILED_PRECONDITION,
        Reason.PIPELINE_UNKNOWN,
        f"This gateway does not know the pipeline {name!r}, which is of a later release; upgrade "
        "the gateway.",
    )


def stage_unknown(job_id: str, unit: str, stage: int) -> StageError:
    """The error for a job with a unit that this version does not know."""
    return StageError(
        Code.FAILED_PRECONDITION,
        Reason.STAGE_UNKNOWN,
        f"This gateway does not know unit {unit!r} (stage {stage}) of job {job_id}, which is of a "
        "later release; upgrade the gateway.",
    )
