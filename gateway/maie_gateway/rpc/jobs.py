"""JobService: recordings in, jobs and their events out."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from datetime import UTC, datetime
from typing import Any

from maie.job.v1 import job_pb2 as job
from maie.job.v1 import job_pb2_grpc
from maie.job.v1 import record_pb2 as record
from maie_core.caller import current_caller
from maie_core.trace_context import current_traceparent
from maie_gateway.audit.about import is_about
from maie_gateway.care.dead_letters import DeadLetters
from maie_gateway.care.removal import Removal
from maie_gateway.conductor import job_view, timeline
from maie_gateway.fetching.fetches import Fetches
from maie_gateway.intake.job_actions import JobActions
from maie_gateway.intake.submission import Submissions
from maie_gateway.readmodel import Projector, ReadModel
from maie_gateway.records.journal import StoredRecord
from maie_gateway.records.store import JobStore
from maie_gateway.rpc.job_ids import checked_job_id
from maie_gateway.rpc.watch import Watch
from maie_gateway.shares.reading import (
    SharedReading,
    check_may_hear,
    check_may_name_revisions,
    check_may_read,
    hide_filename,
)
from maie_gateway.views.audio import StoredAudio
from maie_gateway.views.results import Results
from maie_gateway.views.waveform import StoredWaveforms


class JobService(job_pb2_grpc.JobServiceServicer):
    """Serves maie.job.v1.JobService; callers see their tenant's jobs only."""

    def __init__(
        self,
        *,
        store: JobStore,
        submissions: Submissions,
        fetches: Fetches,
        model: ReadModel,
        projector: Projector,
        results: Results,
        audio: StoredAudio,
        waveforms: StoredWaveforms,
        watch: Watch,
        actions: JobActions,
        removal: Removal,
        dead_letters: DeadLetters,
        shared: SharedReading,
    ) -> None:
        self._store = store
        self._submissions = submissions
        self._fetches = fetches
        self._model = model
        self._projector = projector
        self._results = results
        self._audio = audio
        self._waveforms = waveforms
        self._watch = watch
        self._actions = actions
        self._removal = removal
        self._dead_letters = dead_letters
        self._shared = shared

    async def ProcessAudio(
        self, request_iterator: AsyncIterator[job.ProcessAudioRequest], context: Any
    ) -> AsyncGenerator[job.ProcessAudioResponse, None]:
        """Takes a recording and follows its job to the end."""
        accepted = await self._accept(request_iterator, context)
        async with aclosing(self._watch.events(accepted.job_id)) as events:
            async for job_event in events:
                yield job.ProcessAudioResponse(event=job_event)

    async def CreateJob(
        self, request_iterator: AsyncIterator[job.CreateJobRequest], context: Any
    ) -> job.CreateJobResponse:
        """Takes a recording and returns once its job is accepted."""
        accepted = await self._accept(request_iterator, context)
        return job.CreateJobResponse(job=job_view(accepted))

    async def CreateJobFromUrl(
        self, request: job.CreateJobFromUrlRequest, context: Any
    ) -> job.CreateJobFromUrlResponse:
        """Fetches a recording and returns once its job is accepted."""
        accepted = await self._fetches.accept(current_caller(), request, current_traceparent())
        is_about(job_id=accepted.job_id)
        return job.CreateJobFromUrlResponse(job=job_view(accepted))

    async def GetJob(self, request: job.GetJobRequest, context: Any) -> job.GetJobResponse:
        """Returns a job with the results that it has so far."""
        caller, revision = current_caller(), None
        stored = await self._own(request.job_id)
        if request.HasField("revision"):
            check_may_name_revisions(caller)
            revision = request.revision
        # Lists must show the state that this call returns.
        self._projector.changed(stored.record, stored.revision)
        async with self._store.reading(request.job_id):
            found = await self._results.job(stored.record, revision)
            shown = await self._shared.view(stored.record, found, caller)
        return job.GetJobResponse(job=shown)

    async def GetTimeline(
        self, request: job.GetTimelineRequest, context: Any
    ) -> job.GetTimelineResponse:
        """Returns where the time of a job went."""
        stored = await self._own(request.job_id)
        return job.GetTimelineResponse(timeline=timeline(stored.record, datetime.now(UTC)))

    async def GetAudio(
        self, request: job.GetAudioRequest, context: Any
    ) -> AsyncGenerator[job.GetAudioResponse, None]:
        """Returns a job's audio, or a part of it."""
        asked = await self._own(request.job_id)
        check_may_hear(current_caller(), request.source)
        of_digest = request.source == job.AUDIO_SOURCE_DIGEST
        stored = asked if of_digest else await self._with_audio(asked)
        async with (
            self._store.reading(stored.record.job_id),
            aclosing(self._audio.parts(stored.record, request)) as parts,
        ):
            async for part in parts:
                hide_filename(part, asked.record, current_caller())
                yield part

    async def GetWaveform(
        self, request: job.GetWaveformRequest, context: Any
    ) -> job.GetWaveformResponse:
        """Returns how loud a job's recording is."""
        stored = await self._with_audio(await self._own(request.job_id))
        async with self._store.reading(stored.record.job_id):
            found = await self._waveforms.get(stored.record)
        return job.GetWaveformResponse(waveform=found)

    async def ListJobs(self, request: job.ListJobsRequest, context: Any) -> job.ListJobsResponse:
        """Lists jobs, newest first."""
        tenant = current_caller().tenant
        self._model.check_list(tenant, request)
        # Callers must find jobs that they submitted or changed a moment ago.
        await self._projector.settled()
        return await self._model.list_page(tenant, request)

    async def SearchJobs(
        self, request: job.SearchJobsRequest, context: Any
    ) -> job.SearchJobsResponse:
        """Finds words in transcripts and summaries, with the moments where they occur."""
        tenant = current_caller().tenant
        self._model.check_search(tenant, request)
        await self._projector.settled()
        return await self._model.search(tenant, request)

    async def WatchJob(
        self, request: job.WatchJobRequest, context: Any
    ) -> AsyncGenerator[job.WatchJobResponse, None]:
        """Replays a job's events from a sequence and follows it to its end."""
        await self._own(request.job_id)
        watching = self._watch.events(request.job_id, request.after_sequence)
        async with aclosing(watching) as events:
            async for job_event in events:
                yield job.WatchJobResponse(event=job_event)

    async def CancelJob(self, request: job.CancelJobRequest, context: Any) -> job.CancelJobResponse:
        """Cancels a job that is not finished."""
        cancelled = await self._actions.cancel(
            current_caller().tenant, checked_job_id(request.job_id)
        )
        return job.CancelJobResponse(job=job_view(cancelled))

    async def RetryJob(self, request: job.RetryJobRequest, context: Any) -> job.RetryJobResponse:
        """Retries a failed or cancelled job from where it stopped."""
        taken = await self._actions.retry(current_caller().tenant, checked_job_id(request.job_id))
        return job.RetryJobResponse(job=job_view(taken))

    async def UpdateJob(self, request: job.UpdateJobRequest, context: Any) -> job.UpdateJobResponse:
        """Changes a job's display name or labels."""
        checked_job_id(request.job_id)
        updated = await self._actions.update(current_caller().tenant, request)
        return job.UpdateJobResponse(job=job_view(updated))

    async def DeleteJob(self, request: job.DeleteJobRequest, context: Any) -> job.DeleteJobResponse:
        """Removes a job and all of its traces."""
        await self._own(request.job_id)
        await self._removal.remove(request.job_id)
        await self._projector.purged()
        return job.DeleteJobResponse()

    async def ListDeadLetters(
        self, request: job.ListDeadLettersRequest, context: Any
    ) -> job.ListDeadLettersResponse:
        """Lists dead letters of units and deliveries, newest first."""
        if request.job_id:
            checked_job_id(request.job_id)
        return await self._dead_letters.page(current_caller().tenant, request)

    async def ReplayDeadLetter(
        self, request: job.ReplayDeadLetterRequest, context: Any
    ) -> job.ReplayDeadLetterResponse:
        """Retries the unit or delivery of a dead letter."""
        is_about(letter_id=request.letter_id)
        taken = await self._dead_letters.replay(current_caller().tenant, request.letter_id)
        is_about(job_id=taken.job_id)
        return job.ReplayDeadLetterResponse(job=job_view(taken))

    async def _accept(self, messages: AsyncIterator[Any], context: Any) -> record.JobRecord:
        caller = current_caller()
        parts = (message.upload async for message in messages)
        accepted = await self._submissions.accept(
            parts, caller.tenant, current_traceparent(), caller.limited_id
        )
        is_about(job_id=accepted.job_id)
        return accepted

    async def _with_audio(self, stored: StoredRecord) -> StoredRecord:
        """The job whose audio a job has: of one that summarises a transcript, its origin."""
        tenant = current_caller().tenant
        while stored.record.HasField("origin"):
            stored = await self._store.get_own(stored.record.origin.job_id, tenant)
        return stored

    async def _own(self, job_id: str) -> StoredRecord:
        caller = current_caller()
        check_may_read(caller, checked_job_id(job_id))
        return await self._store.get_own(job_id, caller.tenant)
