"""Summarises transcripts again: a corrected one, or with another template."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime

import structlog
import uuid_utils

from maie.common.v1 import types_pb2 as common
from maie.edit.v1 import edit_pb2 as edit
from maie.event.v1 import event_pb2 as event
from maie.job.v1 import job_pb2 as job
from maie.job.v1 import record_pb2 as record
from maie_core.errors import Code, StageError, invalid
from maie_core.reasons import Reason
from maie_gateway.conductor import Step, accept, advance, lane
from maie_gateway.edits.applying import made_from
from maie_gateway.edits.numbers import known_revision
from maie_gateway.engine.fair_share import FairShare
from maie_gateway.engine.loop import Conductor
from maie_gateway.intake.admission import Admission
from maie_gateway.intake.revisions import check_whole_text
from maie_gateway.intake.snapshots import Snapshots
from maie_gateway.intake.submission import PIPELINE_VERSION
from maie_gateway.intake.submit_config import check_template_id
from maie_gateway.records.about import about
from maie_gateway.records.store import JobStore
from maie_gateway.vault.data_keys import JobKeys
from maie_gateway.views.results import Results
from maie_pipeline.revision import REVISION, TEXT_UNIT
from maie_pipeline.text import CHUNK_NODE
from maie_runtime import folders
from maie_runtime.blobs import Blobs

log = structlog.get_logger()

TEXTS = (job.FEATURE_RAW_TRANSCRIPT, job.FEATURE_CLEAN_TRANSCRIPT, job.FEATURE_SPEAKERS)


class RevisionSummaries:
    """Begins jobs that summarise a revision of another job's transcript.

    Args:
        store: The job records.
        conductor: Begins jobs.
        blobs: Stores the transcripts.
        results: Reads them.
        keys: Makes the key of a job that is encrypted.
        snapshots: Stores the template.
        admission: Limits jobs.
        fair_share: Decides whether a new job is held.
    """

    def __init__(
        self,
        *,
        store: JobStore,
        conductor: Conductor,
        blobs: Blobs,
        results: Results,
        keys: JobKeys,
        snapshots: Snapshots,
        admission: Admission,
        fair_share: FairShare,
    ) -> None:
        self._store = store
        self._conductor = conductor
        self._blobs = blobs
        self._results = results
        self._keys = keys
        self._snapshots = snapshots
        self._admission = admission
        self._fair_share = fair_share

    async def begin(
        self, tenant: str, request: edit.SummarizeRevisionRequest, traceparent: str
    ) -> record.JobRecord:
        """Begins a job that summarises a revision.

        Raises:
            StageError: NOT_FOUND with JOB_NOT_FOUND, REVISION_NOT_FOUND or TEMPLATE_NOT_FOUND,
                FAILED_PRECONDITION with TRANSCRIPT_NOT_READY or SUMMARIES_FULL, INVALID_ARGUMENT
                with TEMPLATE_REQUIRED, RESOURCE_EXHAUSTED as `Admission.check`, or UNAVAILABLE.
        """
        of = (await self._store.get_own(request.job_id, tenant)).record
        check_whole_text(of)
        asked = request.revision if request.HasField("revision") else None
        origin = job.JobOrigin(job_id=of.job_id, revision=known_revision(of, asked))
        config = _config(of, request.template_id)
        await self._snapshots.check(tenant, config.template_id)
        self._admission.check_jobs(tenant)
        async with self._store.reading(of.job_id):
            transcripts = await self._transcripts(of, origin.revision)
        job_id = str(uuid_utils.uuid7())
        await self._keys.make(job_id)
        await self._note(of, job_id)
        blob, template = await self._snapshots.store(tenant, job_id, config.template_id)
        completed = await self._completed(job_id, transcripts)
        now = datetime.now(UTC)
        first = accept(
            job_id=job_id,
            config=config,
            recording=None,
            template=blob,
            template_sha256=template.sha256,
            template_version=template.version,
            pipeline_version=PIPELINE_VERSION,
            traceparent=traceparent,
            now=now,
            tenant=tenant,
            pipeline=REVISION.name,
            origin=origin,
            speaker_names=of.speaker_names,
        ).record
        first.held = self._fair_share.must_wait(tenant, lane(first))
        step = advance(first, completed, self._conductor.policy, now)
        await self._conductor.begin(Step(record=step.record, tasks=step.tasks))
        with about(step.record):
            log.info("job.accepted", held=step.record.held)
        return step.record

    async def _transcripts(self, of: record.JobRecord, revision: int) -> list[common.Transcript]:
        """The transcripts of a job's chunks with the segments of a revision."""
        made = await self._results.transcripts(of)
        (segments,) = await self._results.segments(of, revision)
        return await asyncio.to_thread(_divided, made, segments)

    async def _note(self, of: record.JobRecord, job_id: str) -> None:
        """Notes the new job at its origin first, so that it is removed with that."""
        requested = event.SummaryRequested(summary_job_id=job_id)
        taken = await self._conductor.take(
            of.job_id, [event.StageEvent(job_id=of.job_id, summary_requested=requested)]
        )
        if job_id not in taken.summary_job_ids:
            raise StageError(
                Code.FAILED_PRECONDITION,
                Reason.SUMMARIES_FULL,
                f"The transcript of job {of.job_id} was summarised again "
                f"{len(taken.summary_job_ids)} times, and there is no room for another.",
            )

    async def _completed(
        self, job_id: str, transcripts: Sequence[common.Transcript]
    ) -> event.StageEvent:
        """The end of the first unit, which gives the transcripts."""
        prefix = f"{folders.of_job(job_id)}/{CHUNK_NODE}"
        outputs = [
            await self._blobs.put_message(f"{prefix}.{index:04d}", each)
            for index, each in enumerate(transcripts)
        ]
        # No audio is worked on, so the duration is 0.
        facts = event.UnitFacts(chunk_count=len(outputs), punctuated=_is_clean(transcripts))
        ended = event.UnitCompleted(chunk_outputs=outputs, facts=facts)
        return event.StageEvent(job_id=job_id, unit=TEXT_UNIT, attempt=1, completed=ended)


def _config(of: record.JobRecord, template_id: str) -> job.JobConfig:
    """What is asked of the new job: the texts of its origin, and a summary."""
    chosen = template_id or of.config.template_id
    if not chosen:
        raise invalid(
            Reason.TEMPLATE_REQUIRED,
            "The job has no summary; name the template that is to be filled.",
            field="template_id",
        )
    check_template_id(chosen, field="template_id")
    config = job.JobConfig(
        features=[each for each in TEXTS if each in of.config.features] + [job.FEATURE_SUMMARY],
        template_id=chosen,
        filename=of.config.filename,
        display_name=of.display_name,
        labels=of.labels,
        lane=job.LANE_INTERACTIVE,
    )
    if job.FEATURE_DIGEST in of.config.features:
        config.features.append(job.FEATURE_DIGEST)
        config.speech_options.CopyFrom(of.config.speech_options)
    if of.config.HasField("summary_generation"):
        config.summary_generation.CopyFrom(of.config.summary_generation)
    return config


def _divided(
    made: Sequence[common.Transcript], segments: Sequence[common.Segment]
) -> list[common.Transcript]:
    """The transcripts with other segments, each where the one that it was made from was."""
    chunks = {
        segment.segment_id: index for index, each in enumerate(made) for segment in each.segments
    }
    divided = []
    for each in made:
        copy = common.Transcript()
        copy.CopyFrom(each)
        del copy.segments[:]
        divided.append(copy)
    for segment in segments:
        divided[chunks[made_from(segment.segment_id)]].segments.append(segment)
    return divided


def _is_clean(transcripts: Sequence[common.Transcript]) -> bool:
    """Whether the text has punctuation and casing already."""
    return all(
        each.punctuated or all(segment.HasField("clean_text") for segment in each.segments)
        for each in transcripts
    )
