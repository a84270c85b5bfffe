"""A job as clients see it, put together from its record and its stored results."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from google.protobuf.message import Message

from maie.common.v1 import types_pb2 as common
from maie.edit.v1 import stored_pb2 as stored
from maie.job.v1 import job_pb2 as job
from maie.job.v1 import record_pb2 as record
from maie.preprocess.v1 import preprocess_pb2 as preprocess
from maie.summary.v1 import summary_pb2 as summary
from maie_gateway.conductor import FINAL_STATES, job_view
from maie_gateway.edits.numbers import known_revision
from maie_gateway.edits.pieces import from_pieces
from maie_gateway.views import VIEWS
from maie_gateway.views.costs import show_costs
from maie_gateway.views.quality import missing_quality
from maie_gateway.views.speakers import correct_speakers, show_speakers
from maie_gateway.views.stored_results import StoredResults
from maie_gateway.views.transcript import segments_of, show_segments
from maie_pipeline.bindings import BINDINGS
from maie_pipeline.nodes import node_name
from maie_pipeline.pipelines import pipeline_of

Shown: TypeAlias = job.Job
JobResults: TypeAlias = job.JobResults
# The shown outputs by their message, each in recording order.
Outputs: TypeAlias = dict[type[Message], list[Any]]

HAS_OUTPUT = (job.UNIT_STATE_COMPLETED, job.UNIT_STATE_SKIPPED)


@dataclass(kw_only=True, frozen=True, slots=True)
class UnitNews:
    """The output of an ended unit that watchers of its job get.

    Attributes:
        segments: The text with times, in recording order.
        warnings: What a person should know of it.
    """

    segments: Sequence[common.Segment] = ()
    warnings: Sequence[common.Warning] = ()


class Results:
    """Reads stored results and shows jobs with them.

    Raises:
        StageError: DATA_LOSS with BLOB_CORRUPT or BLOB_MISSING naming the object.
    """

    def __init__(self, stored: StoredResults) -> None:
        self._stored = stored

    async def job(self, of: record.JobRecord, revision: int | None = None) -> job.Job:
        """The job with all requested results that exist so far.

        Args:
            of: Its record.
            revision: The revision of its transcript; the newest one where None.

        Raises:
            StageError: NOT_FOUND with REVISION_NOT_FOUND.
        """
        outputs = await self._outputs(of)
        shown = _shown(of, outputs)
        await self._show_revision(shown, of, outputs, revision)
        plan = next(iter(outputs.get(preprocess.PreprocessResult, ())), None)
        show_costs(shown, of, plan)
        shown.versions.CopyFrom(_versions(of, outputs))
        return shown

    async def texts(self, of: record.JobRecord) -> JobResults:
        """The results of a job that exist so far, with the newest revision of its transcript."""
        outputs = await self._outputs(of)
        shown = _shown(of, outputs)
        await self._show_revision(shown, of, outputs)
        return shown.results

    async def transcripts(self, of: record.JobRecord) -> list[common.Transcript]:
        """The transcripts of a job's chunks as they were made, in recording order."""
        return list((await self._outputs(of)).get(common.Transcript, ()))

    async def segments(self, of: record.JobRecord, *revisions: int) -> list[list[common.Segment]]:
        """The segments of revisions of a job's transcript, each in recording order.

        Raises:
            StageError: NOT_FOUND with REVISION_NOT_FOUND.
        """
        outputs = await self._outputs(of)
        return [await self._segments(of, outputs, known_revision(of, each)) for each in revisions]

    async def _segments(
        self, of: record.JobRecord, outputs: Outputs, revision: int
    ) -> list[common.Segment]:
        made = segments_of(outputs.get(common.Transcript, ()))
        if not revision or not of.revisions[revision - 1].HasField("text"):
            return made
        text = of.revisions[revision - 1].text
        return from_pieces(await self._stored.get(text, stored.EditedTranscript), made)

    async def summary(self, of: record.JobRecord) -> summary.SummarizeResult | None:
        """The summary of a job; None where it has none so far."""
        made = _summaries(of)
        return await self._stored.get(made[-1].output, summary.SummarizeResult) if made else None

    async def news(self, of: record.JobRecord, unit: record.Unit) -> UnitNews:
        """The output of a unit with output, for watchers."""
        pipeline = pipeline_of(of)
        node = pipeline.node(unit.unit) if pipeline else None
        if node is None or not node.shown:
            return UnitNews()
        view, output = VIEWS[node.output], await self._stored.get(unit.output, node.output)
        return UnitNews(segments=view.segments(output), warnings=view.warnings([output]))

    async def _show_revision(
        self, shown: Shown, of: record.JobRecord, outputs: Outputs, revision: int | None = None
    ) -> None:
        """Shows a revision of the transcript in place of what was made; None: the newest one."""
        number = known_revision(of, revision)
        if number:
            show_segments(shown, of, await self._segments(of, outputs, number))
            correct_speakers(shown, of)
            shown.results.revision = number

    async def _outputs(self, of: record.JobRecord) -> Outputs:
        shown = shown_units(of)
        made = await asyncio.gather(*(self._made(*each) for each in shown.items()))
        return dict(zip(shown, made, strict=True))

    async def _made(self, message: type[Message], units: Sequence[record.Unit]) -> list[Any]:
        reading = (self._stored.get(unit.output, message) for unit in units)
        return list(await asyncio.gather(*reading))


def _shown(of: record.JobRecord, outputs: Outputs) -> job.Job:
    """The job with its results as they were made, without costs and versions."""
    shown = job_view(of)
    shown.results.SetInParent()
    shown.metrics.SetInParent()
    for message, made in outputs.items():
        VIEWS[message].show(shown, of, made)
        shown.results.warnings.extend(VIEWS[message].warnings(made))
    shown.results.warnings.extend(missing_quality(of))
    show_speakers(shown, of)
    return shown


def shown_units(of: record.JobRecord) -> dict[type[Message], list[record.Unit]]:
    """The units whose outputs clients see, in recording order, by the type of their output.

    For each chunk the last existing one: the enhanced transcript, or else the raw one. Empty for
    a pipeline that this version does not know.
    """
    pipeline = pipeline_of(of)
    nodes = {node.name: node for node in pipeline.nodes if node.shown} if pipeline else {}
    last: dict[type[Message], dict[int, record.Unit]] = {node.output: {} for node in nodes.values()}
    for unit in of.units if pipeline else ():
        node = nodes.get(node_name(unit.unit))
        if node is not None and unit.state in HAS_OUTPUT:
            last[node.output][unit.index] = unit
    return {kind: [units[index] for index in sorted(units)] for kind, units in last.items()}


def has_whole_text(of: record.JobRecord) -> bool:
    """Whether all of a job's text is there, so that no retry changes it."""
    pipeline = pipeline_of(of)
    if pipeline is None or of.state not in FINAL_STATES or not of.HasField("facts"):
        return False
    nodes = {node.name for node in pipeline.nodes if node.output is common.Transcript}
    units = (unit for unit in of.units if node_name(unit.unit) in nodes)
    return all(unit.state in HAS_OUTPUT for unit in units)


def has_summary(of: record.JobRecord) -> bool:
    """Whether a job has its summary."""
    return bool(_summaries(of))


def _summaries(of: record.JobRecord) -> Sequence[record.Unit]:
    return shown_units(of).get(summary.SummarizeResult, ())


def _versions(of: record.JobRecord, outputs: Outputs) -> job.JobVersions:
    versions = job.JobVersions(pipeline=of.pipeline_version)
    made = (
        version
        for message, each in outputs.items()
        for output in each
        for version in VIEWS[message].engines(output)
    )
    order = {binding.stage: place for place, binding in enumerate(BINDINGS.values())}
    for version in sorted(made, key=lambda version: order.get(version.stage, len(order))):
        if version not in versions.stages:
            versions.stages.append(version)
    if of.template_sha256:
        versions.template.template_id = of.config.template_id
        versions.template.sha256 = of.template_sha256
        versions.template.version = of.template_version
    return versions
