"""A pipeline: the nodes of a kind of job, and the units that they become."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import count

from maie.common.v1 import types_pb2 as common
from maie.job.v1 import job_pb2 as job
from maie.job.v1 import record_pb2 as record
from maie_pipeline.nodes import Node, Scope, node_name


@dataclass(kw_only=True, frozen=True, slots=True)
class Pipeline:
    """The graph of a kind of job.

    Attributes:
        name: Its name in job records.
        nodes: Its nodes; each comes after all that it needs.

    Raises:
        ValueError: The nodes make no graph; the message says why.
    """

    name: str
    nodes: tuple[Node, ...]

    def __post_init__(self) -> None:
        seen: dict[str, Node] = {}
        for node in self.nodes:
            _check(node, seen)
            seen[node.name] = node

    def node(self, unit: str) -> Node | None:
        """The node of a unit, by the unit's name; None where there is none."""
        name = node_name(unit)
        return next((node for node in self.nodes if node.name == name), None)

    def stages(
        self, config: job.JobConfig, added: Sequence[job.Feature] = ()
    ) -> list[common.Stage]:
        """The stages that a job goes through, in the order of the work.

        Args:
            config: What was asked for.
            added: What the job has besides.
        """
        had = (each for each in self.nodes if each.is_wanted(config) or each.is_added(added))
        return list(dict.fromkeys(node.stage for node in had))

    def first_units(self, config: job.JobConfig) -> Iterator[record.Unit]:
        """The units that a job has when it is accepted, all waiting."""
        yield from self._units(config, (), (Scope.JOB,), 0, ())

    def chunk_units(
        self,
        config: job.JobConfig,
        chunk_count: int,
        existing: Sequence[record.Unit],
        added: Sequence[job.Feature] = (),
    ) -> Iterator[record.Unit]:
        """The units that a job gets once its recording is cut, all waiting.

        Args:
            config: What was asked for.
            chunk_count: How many chunks there are; 0 or more.
            existing: The units that the job has.
            added: What the job has besides; what these features alone want is optional.
        """
        yield from self._units(config, added, (Scope.CHUNK, Scope.JOIN), chunk_count, existing)

    def needed(self, node: Node, index: int, places: Mapping[str, Sequence[int]]) -> list[int]:
        """The places of the units that a unit needs, in recording order.

        Args:
            node: The unit's node.
            index: The unit's chunk.
            places: As `places_by_node` gives them.
        """
        needed: list[int] = []
        for group in node.needs:
            found = next((places[name] for name in group if places.get(name)), ())
            is_one_of_many = node.scope is Scope.CHUNK and len(found) > 1
            needed += [found[index]] if is_one_of_many else found
        return needed

    def _units(
        self,
        config: job.JobConfig,
        added: Sequence[job.Feature],
        scopes: Sequence[Scope],
        chunk_count: int,
        existing: Sequence[record.Unit],
    ) -> Iterator[record.Unit]:
        places = places_by_node(existing)
        place = count(len(existing))
        for node in self.nodes:
            is_wanted = node.is_wanted(config)
            if node.scope not in scopes or not (is_wanted or node.is_added(added)):
                continue
            is_chunked = node.scope is Scope.CHUNK
            if chunk_count < node.min_chunks:
                continue
            for index in range(chunk_count if is_chunked else 1):
                needs = record.UnitNeeds(places=self.needed(node, index, places))
                places[node.name].append(next(place))
                yield record.Unit(
                    unit=f"{node.name}.{index:04d}" if is_chunked else node.name,
                    stage=node.stage,
                    index=index,
                    state=job.UNIT_STATE_WAITING,
                    needs=needs,
                    is_optional=not is_wanted,
                )


def places_by_node(units: Iterable[record.Unit]) -> defaultdict[str, list[int]]:
    """The places of units in a record, from 0, by the names of their nodes."""
    places: defaultdict[str, list[int]] = defaultdict(list)
    for place, unit in enumerate(units):
        places[node_name(unit.unit)].append(place)
    return places


def _check(node: Node, before: Mapping[str, Node]) -> None:
    if node.name in before:
        raise ValueError(f"There are two nodes {node.name}.")
    if node_name(node.name) != node.name:
        raise ValueError(f"The node {node.name} is named like a chunk of another.")
    cutters = [each for each in before.values() if each.cuts]
    if node.cuts and (cutters or node.scope is not Scope.JOB):
        raise ValueError(f"{node.name} cannot cut: one node of the whole job does.")
    if node.given and (node.has_tasks or node.scope is not Scope.CHUNK):
        raise ValueError(f"{node.name} cannot be given: it has a task, or none for each chunk.")
    if node.scope is not Scope.JOB and not cutters:
        raise ValueError(f"{node.name} comes after a cut, and no node before it cuts.")
    for need in (name for group in node.needs for name in group):
        if need not in before:
            raise ValueError(f"{node.name} needs {need}, which is no node before it.")
        if node.scope is Scope.JOB and before[need].scope is not Scope.JOB:
            raise ValueError(f"{node.name} cannot need {need}: that is there only later.")
