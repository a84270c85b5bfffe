"""The gateway from start to drain."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta

import structlog

from maie.access.v1 import access_pb2_grpc
from maie.catalog.v1 import catalog_pb2_grpc
from maie.edit.v1 import edit_pb2_grpc
from maie.event.v1 import event_pb2 as event
from maie.job.v1 import job_pb2 as job
from maie.job.v1 import job_pb2_grpc
from maie.live.v1 import live_pb2 as live
from maie.live.v1 import live_pb2_grpc
from maie.share.v1 import share_pb2_grpc
from maie.speech.v1 import speech_pb2_grpc
from maie.template.v1 import template_pb2_grpc
from maie.tenant.v1 import tenant_pb2_grpc
from maie.upload.v1 import upload_pb2_grpc
from maie.voice.v1 import voice_pb2_grpc
from maie_audio.decoders import PROGRAM, Decoders
from maie_audio.fork_server import ForkServer
from maie_audio.formats import Limits
from maie_core.limits import MAX_GATEWAY_REQUEST_BYTES
from maie_core.metrics import is_on, open_metrics
from maie_core.tracing import open_tracing
from maie_gateway.access.guard import Guard
from maie_gateway.audit.call_audit import CallAudit
from maie_gateway.audit.log import AuditLog
from maie_gateway.audit.reading import AuditPages
from maie_gateway.care.dead_letters import DeadLetters
from maie_gateway.care.removal import Removal
from maie_gateway.care.retention import Sweeper
from maie_gateway.care.streams import keep_streams
from maie_gateway.care.tenant_removal import TenantRemoval
from maie_gateway.conductor import Policy
from maie_gateway.door import door_tls, expiring, observe_door
from maie_gateway.engine.chunks import Chunks
from maie_gateway.engine.forgotten_keys import ForgottenKeys
from maie_gateway.engine.job_metrics import JobMetrics, observe_jobs
from maie_gateway.engine.key_service import KeyService
from maie_gateway.engine.metrics import observe_demand
from maie_gateway.engine.queue_watch import QueueWatch
from maie_gateway.engine.throughput import Throughput
from maie_gateway.engine.wiring import ConductingOptions, conducting
from maie_gateway.fetching.wiring import open_fetches
from maie_gateway.intake.added_features import (
    OPTIONAL_STAGES,
    no_added_features,
    quality_where_served,
)
from maie_gateway.intake.admission import Admission
from maie_gateway.intake.job_actions import JobActions
from maie_gateway.intake.metrics import UploadMetrics
from maie_gateway.intake.requests import Requests
from maie_gateway.intake.revision_summaries import RevisionSummaries
from maie_gateway.intake.revisions import Revisions
from maie_gateway.intake.snapshots import Snapshots
from maie_gateway.intake.submission import PIPELINE_VERSION, Submissions
from maie_gateway.limits.audio_hours import AudioHours
from maie_gateway.limits.callers import CallerLimits
from maie_gateway.live.ending.abandoned import Abandoned
from maie_gateway.live.ending.endings import Endings
from maie_gateway.live.ending.summaries import Summaries
from maie_gateway.live.kept.making import AudioMaking
from maie_gateway.live.metrics import LiveMetrics
from maie_gateway.live.opening import Openings
from maie_gateway.live.recognition.asr_replicas import AsrReplicas
from maie_gateway.live.refinement.enhancers import Enhancers
from maie_gateway.live.sessions import Sessions
from maie_gateway.live.speakers.diarizers import Diarizers
from maie_gateway.presence import gateway_present
from maie_gateway.readmodel import Projector, open_read_model
from maie_gateway.records.store import JobStore
from maie_gateway.rpc.access import AccessService
from maie_gateway.rpc.catalog import CatalogService
from maie_gateway.rpc.edits import EditService
from maie_gateway.rpc.jobs import JobService
from maie_gateway.rpc.live import LiveService
from maie_gateway.rpc.shares import ShareService
from maie_gateway.rpc.speech import SpeechService
from maie_gateway.rpc.templates import TemplateService
from maie_gateway.rpc.tenants import TenantService
from maie_gateway.rpc.uploads import UploadService
from maie_gateway.rpc.voices import VoiceService
from maie_gateway.rpc.watch import Watch
from maie_gateway.settings import GatewaySettings
from maie_gateway.shares.reading import SharedReading
from maie_gateway.shares.shares import Shares
from maie_gateway.shares.store import ShareStore
from maie_gateway.speech.synthesizers import Synthesizers
from maie_gateway.templates.choice import Templates
from maie_gateway.templates.entries import TemplateEntries
from maie_gateway.templates.own import OwnTemplates
from maie_gateway.tenants.store import TenantStore
from maie_gateway.tenants.use import Uses
from maie_gateway.uploads.wiring import resumable_uploads
from maie_gateway.vault.data_keys import DataKeys
from maie_gateway.vault.opening import open_job_keys
from maie_gateway.views.audio import StoredAudio
from maie_gateway.views.results import Results
from maie_gateway.views.stored_results import StoredResults
from maie_gateway.views.waveform import StoredWaveforms
from maie_gateway.voices.entries import VoiceEntries
from maie_gateway.voices.hearing import JobVoices
from maie_gateway.voices.voices import Voices
from maie_gateway.webhooks import check_webhooks
from maie_gateway.webhooks.wiring import open_webhooks
from maie_runtime.background import background_tasks
from maie_runtime.blobs import Blobs
from maie_runtime.bus import subjects
from maie_runtime.bus.broker import Broker
from maie_runtime.bus.credentials import credentials_of
from maie_runtime.bus.presence import instance_name
from maie_runtime.bus.provision import Wanted, open_provisioned_broker
from maie_runtime.bus.rights import GATEWAY
from maie_runtime.bus.session_log import SessionLog
from maie_runtime.health_file import HealthFile
from maie_runtime.loop_lag import measure_loop_lag
from maie_runtime.rpc.callers.proxies import TrustedProxies
from maie_runtime.rpc.limits.calls import CallLimits
from maie_runtime.rpc.limits.pauses import Pauses
from maie_runtime.rpc.limits.refusals import Refusals
from maie_runtime.rpc.server import GrpcServer
from maie_runtime.rpc.tls import mesh_certificates, report_expiry
from maie_templates import TemplateLibrary

log = structlog.get_logger()

SERVICES = (
    "maie.job.v1.JobService",
    "maie.edit.v1.EditService",
    "maie.upload.v1.UploadService",
    "maie.share.v1.ShareService",
    "maie.live.v1.LiveService",
    "maie.catalog.v1.CatalogService",
    "maie.template.v1.TemplateService",
    "maie.voice.v1.VoiceService",
    "maie.speech.v1.SpeechService",
    "maie.access.v1.AccessService",
    "maie.tenant.v1.TenantService",
)
HEALTH_CHECK_SECONDS = 1.0


async def run_gateway(settings: GatewaySettings) -> None:
    """Runs a gateway until it is cancelled."""
    async with serve_gateway(settings) as address:
        # What exists now stays alive; collecting it would halt all calls for 80 ms.
        gc.freeze()
        log.info("service.ready", address=address)
        await asyncio.Future()


@asynccontextmanager
async def serve_gateway(settings: GatewaySettings) -> AsyncIterator[str]:
    """A gateway that serves gRPC and runs jobs; yields its address.

    Drains in this order: NOT_SERVING, watches, running calls, the conductor, NATS.
    """
    wanted = Wanted(
        lifetimes=settings.retention.lifetimes(), ack_wait_seconds=settings.mesh.ack_wait_seconds
    )
    certificates = mesh_certificates(settings.mesh)
    tls = door_tls(settings, certificates)
    # Behind a proxy on this machine, everybody would come from the user who runs it.
    guard = Guard(settings.access, settings.listen, proxied=bool(settings.plaintext))
    instance = instance_name("gateway")
    audit = AuditLog(instance)
    async with AsyncExitStack() as stack:
        tracers = await stack.enter_async_context(
            open_tracing(service="gateway", instance=instance, version=PIPELINE_VERSION)
        )
        tracer = tracers.get_tracer("maie_gateway", PIPELINE_VERSION)
        meters = await stack.enter_async_context(
            open_metrics(
                settings.mesh, service="gateway", instance=instance, version=PIPELINE_VERSION
            )
        )
        meter = meters.get_meter("maie_gateway", PIPELINE_VERSION)
        health = HealthFile(settings.mesh.health_file, meter)
        await stack.enter_async_context(health.kept())
        observe_door(meter, tls, certificates)
        guard.observe(meter)
        if is_on(meter):
            await stack.enter_async_context(background_tasks(measure_loop_lag(meter)))
        pauses, caller_limits = Pauses(), CallerLimits(settings.limits)
        proxies = TrustedProxies(settings.access.trusted_proxies)
        await stack.enter_async_context(proxies.running())
        server = GrpcServer(
            settings.listen,
            SERVICES,
            MAX_GATEWAY_REQUEST_BYTES,
            guard.authenticators,
            tls,
            meter,
            tracer,
            guard.streams,
            CallAudit(audit, SERVICES, peer_of=proxies.peer_of),
            Refusals(settings.limits.failed_credentials_per_minute, pauses, meter, proxies.peer_of),
            CallLimits(caller_limits.calls_of, pauses, proxies.peer_of),
            settings.patience(),
            settings.connections(),
        )
        proxies.server = server.address
        broker = await stack.enter_async_context(
            open_provisioned_broker(
                settings.mesh.nats_url,
                instance,
                wanted,
                inbox=subjects.inbox(GATEWAY),
                meter=meter,
                tracer=tracer,
                credentials=credentials_of(settings.mesh),
                rides_out=True,
            )
        )
        await stack.enter_async_context(audit.running(broker))
        keys = await stack.enter_async_context(guard.running(broker))
        tenant_store = TenantStore(broker, caller_limits)
        await stack.enter_async_context(tenant_store.following())
        job_keys = await stack.enter_async_context(open_job_keys(broker, settings))
        blobs = Blobs(settings.mesh.blob_url, job_keys, meter, tracer)
        options = ConductingOptions(
            policy=Policy(max_retries=settings.max_retries),
            max_running_jobs=settings.max_running_jobs_per_tenant,
            reconcile_seconds=settings.reconcile_seconds,
            optional_grace_seconds=settings.optional_grace_seconds,
        )
        stored = StoredResults(blobs)
        results = Results(stored)
        model = await stack.enter_async_context(open_read_model(settings.read_model.url))
        projector = Projector(model, JobStore(broker), results)
        await stack.enter_async_context(projector.running())
        webhooks = await stack.enter_async_context(open_webhooks(broker, settings.webhooks, meter))
        throughput, audio_hours = Throughput(), AudioHours(caller_limits)
        job_metrics = JobMetrics(meter, settings.mesh.metrics_tenants)
        forgotten = [ForgottenKeys(job_keys)] if isinstance(job_keys, DataKeys) else []
        jobs = await stack.enter_async_context(
            conducting(
                broker,
                options,
                webhooks.follow,
                (*forgotten, projector, webhooks.reconciler, stored, throughput, audio_hours),
                Chunks(stored).complete,
                job_metrics,
            )
        )
        if isinstance(job_keys, DataKeys):
            serving = KeyService(broker, job_keys, jobs.store, jobs.changes).running()
            await stack.enter_async_context(serving)
        observe_demand(meter, broker, jobs.changes, jobs.workers)
        observe_jobs(meter, jobs.changes, job_metrics.tenant)
        if is_on(meter):
            queues = QueueWatch(meter, broker)
            await stack.enter_async_context(background_tasks(queues.run()))
        watch = Watch(broker, jobs.store, jobs.changes, results)
        own_templates = OwnTemplates(TemplateEntries(broker), job_keys)
        templates = Templates(TemplateLibrary(settings.templates.directory), own_templates)
        voices = Voices(
            entries=VoiceEntries(broker),
            keys=job_keys,
            jobs=jobs.store,
            heard=JobVoices(stored, results),
            limits=caller_limits,
        )
        snapshots = Snapshots(blobs, templates)
        requests = Requests(broker)

        async def check(config: job.JobConfig) -> None:
            jobs.workers.check_asr_options(config.asr_options, "config.asr_options")
            synthesizers.check_voice(config.speech_options.voice, "config.speech_options.voice")
            await check_webhooks(config, webhooks.guard)

        async def check_session(config: live.SessionConfig) -> None:
            jobs.workers.check_turns(config.turns, "config.turns")
            jobs.workers.check_refinements(wanted=config.refinements)
            await check(config.job)

        actions = JobActions(jobs.store, jobs.conductor)
        removal = Removal(
            broker=broker,
            blobs=blobs,
            store=jobs.store,
            conductor=jobs.conductor,
            requests=requests,
            changes=jobs.changes,
            keys=job_keys,
            marker_seconds=settings.retention.removals_seconds,
        )
        name = instance_name("gateway")
        audio = AudioMaking(
            broker=broker,
            blobs=blobs,
            store=jobs.store,
            changes=jobs.changes,
            gateway=name,
            settings=settings.live,
        )
        endings = Endings(broker, blobs, jobs.store, options.policy.max_chunks, name, audio.expect)
        openings = Openings(
            sessions=SessionLog(broker),
            store=jobs.store,
            conductor=jobs.conductor,
            snapshots=snapshots,
            keys=job_keys,
            check=check_session,
            chunk_seconds=settings.live.chunk_seconds,
            gateway=name,
        )
        replicas = AsrReplicas(jobs.workers, certificates, tracer)
        enhancers = Enhancers(jobs.workers, settings.live.refinement_seconds, certificates, tracer)
        diarizers = Diarizers(jobs.workers, certificates, tracer)
        synthesizers = Synthesizers(jobs.workers, settings.speech_seconds, certificates, tracer)
        decoders = await stack.enter_async_context(
            Decoders(
                stack.enter_context(ForkServer(PROGRAM)),
                Limits(memory_bytes=settings.live.decoder_memory_mib * 1024 * 1024),
                max_processes=settings.live.decoder_processes,
                stall_seconds=settings.live.decoder_stall_seconds,
            )
        )
        sessions = Sessions(
            broker=broker,
            openings=openings,
            endings=endings,
            summaries=Summaries(jobs.store, jobs.changes, results),
            replicas=replicas,
            enhancers=enhancers,
            diarizers=diarizers,
            changes=jobs.changes,
            decoders=decoders,
            blobs=blobs,
            settings=settings.live,
            metrics=LiveMetrics(meter),
            limits=caller_limits,
            audio_hours=audio_hours,
            gateway=name,
        )
        abandoned = Abandoned(broker, jobs.changes, endings, name, settings.live)
        for part in (
            replicas,
            enhancers,
            diarizers,
            synthesizers,
            audio,
            sessions,
            abandoned,
        ):
            await stack.enter_async_context(part.running())
        admission = Admission(jobs.changes, settings.admission_limits(caller_limits), audio_hours)
        submissions = Submissions(
            broker=broker,
            blobs=blobs,
            store=jobs.store,
            changes=jobs.changes,
            conductor=jobs.conductor,
            fair_share=jobs.fair_share,
            requests=requests,
            admission=admission,
            snapshots=snapshots,
            limits=settings.upload_limits(),
            metrics=UploadMetrics(meter),
            keys=job_keys,
            check=check,
            added=(
                quality_where_served(jobs.workers)
                if settings.measure_quality
                else no_added_features
            ),
        )
        uploads, finishing = resumable_uploads(
            broker=broker,
            blobs=blobs,
            jobs=jobs.store,
            keys=job_keys,
            submissions=submissions,
            admission=admission,
            limits=settings.upload_limits(),
            most_unfinished=settings.max_unfinished_uploads_per_tenant,
            kept=timedelta(hours=settings.retention.uploads_hours),
        )
        fetches = await stack.enter_async_context(
            open_fetches(
                settings=settings.fetch,
                store=jobs.store,
                submissions=submissions,
                limits=settings.upload_limits(),
                tracer=tracer,
            )
        )
        tenant_removal = TenantRemoval(
            broker=broker,
            store=jobs.store,
            removal=removal,
            keys=keys,
            uploads=uploads,
            templates=own_templates,
            voices=voices,
            tenants=tenant_store,
        )
        sweeper = Sweeper(
            broker,
            blobs,
            jobs.store,
            removal,
            uploads,
            own_templates,
            voices,
            tenant_removal,
            settings.retention,
            audit,
        )
        await stack.enter_async_context(sweeper.running())
        job_pb2_grpc.add_JobServiceServicer_to_server(
            JobService(
                store=jobs.store,
                submissions=submissions,
                fetches=fetches,
                model=model,
                projector=projector,
                results=results,
                audio=StoredAudio(blobs, stored),
                waveforms=StoredWaveforms(stored),
                watch=watch,
                actions=actions,
                removal=removal,
                dead_letters=DeadLetters(broker, jobs.store, actions),
                shared=SharedReading(stored),
            ),
            server.server,
        )
        edit_pb2_grpc.add_EditServiceServicer_to_server(
            EditService(
                Revisions(jobs.store, jobs.conductor, blobs, results),
                RevisionSummaries(
                    store=jobs.store,
                    conductor=jobs.conductor,
                    blobs=blobs,
                    results=results,
                    keys=job_keys,
                    snapshots=snapshots,
                    admission=admission,
                    fair_share=jobs.fair_share,
                ),
            ),
            server.server,
        )
        upload_pb2_grpc.add_UploadServiceServicer_to_server(
            UploadService(uploads, finishing), server.server
        )
        share_pb2_grpc.add_ShareServiceServicer_to_server(
            ShareService(Shares(ShareStore(broker), jobs.store, settings.shares)), server.server
        )
        catalog_pb2_grpc.add_CatalogServiceServicer_to_server(
            CatalogService(
                broker=broker,
                changes=jobs.changes,
                workers=jobs.workers,
                templates=templates,
                max_active_jobs=settings.max_active_jobs,
                blob_store=blobs.scheme,
                throughput=throughput,
            ),
            server.server,
        )
        template_pb2_grpc.add_TemplateServiceServicer_to_server(
            TemplateService(templates, jobs.store, blobs), server.server
        )
        voice_pb2_grpc.add_VoiceServiceServicer_to_server(VoiceService(voices), server.server)
        speech_pb2_grpc.add_SpeechServiceServicer_to_server(
            SpeechService(synthesizers), server.server
        )
        access_pb2_grpc.add_AccessServiceServicer_to_server(
            AccessService(keys, AuditPages(broker)), server.server
        )
        uses = Uses(
            changes=jobs.changes,
            audio_hours=audio_hours,
            model=model,
            uploads=uploads.store,
            keys=keys,
        )
        tenant_pb2_grpc.add_TenantServiceServicer_to_server(
            TenantService(
                tenant_store, uses, caller_limits, settings.tenant_limits(), tenant_removal
            ),
            server.server,
        )
        live_pb2_grpc.add_LiveServiceServicer_to_server(
            LiveService(sessions, openings), server.server
        )
        info = event.WorkerInfo(
            instance=instance,
            address=server.address,
            version=PIPELINE_VERSION,
            optional_stages=OPTIONAL_STAGES,
        )

        def errors() -> event.PartErrors:
            return event.PartErrors(
                calls=server.faults.number,
                broker=broker.faults.number,
                store=blobs.faults.number,
            )

        await stack.enter_async_context(gateway_present(broker, info, sessions, errors))
        await server.start()
        try:
            keeping = keep_streams(broker, wanted)
            reporting = [report_expiry(files) for files in expiring(tls, certificates)]
            async with background_tasks(
                _report_health(server, broker, health), keeping, *reporting
            ):
                yield server.address
        finally:
            health.set_serving(False)
            await server.set_serving(False)
            watch.drain()
            grace = settings.mesh.shutdown_grace_seconds
            await asyncio.gather(server.stop(grace), sessions.drain(grace))


async def _report_health(server: GrpcServer, broker: Broker, health: HealthFile) -> None:
    """Reports SERVING while the broker is connected: no job is accepted without it."""
    serving = False
    while True:
        if broker.connected != serving:
            serving = broker.connected
            health.set_serving(serving)
            await server.set_serving(serving)
        await asyncio.sleep(HEALTH_CHECK_SECONDS)
