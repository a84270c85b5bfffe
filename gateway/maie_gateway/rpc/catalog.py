"""CatalogService: the available models and templates, and the status of the mesh."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from maie.catalog.v1 import catalog_pb2 as catalog
from maie.catalog.v1 import catalog_pb2_grpc
from maie.common.v1 import types_pb2 as common
from maie.event.v1 import event_pb2 as event
from maie_core.caller import current_caller
from maie_gateway.engine.queues import Queues, count_dead_letters, read_queues
from maie_gateway.engine.throughput import Throughput
from maie_gateway.engine.workers import LiveWorkers
from maie_gateway.intake.submission import PIPELINE_VERSION
from maie_gateway.intake.submit_config import check_template_id
from maie_gateway.records.changes import JobChanges
from maie_gateway.templates.choice import Templates
from maie_pipeline.bindings import BINDINGS, StageBinding
from maie_runtime.bus.broker import Broker
from maie_runtime.bus.subjects import LANES


class CatalogService(catalog_pb2_grpc.CatalogServiceServicer):
    """Serves maie.catalog.v1.CatalogService from the reports of workers."""

    def __init__(
        self,
        *,
        broker: Broker,
        changes: JobChanges,
        workers: LiveWorkers,
        templates: Templates,
        max_active_jobs: int,
        blob_store: str,
        throughput: Throughput,
    ) -> None:
        self._broker = broker
        self._changes = changes
        self._workers = workers
        self._templates = templates
        self._max_active_jobs = max_active_jobs
        self._blob_store = blob_store
        self._throughput = throughput

    async def ListModels(
        self, request: catalog.ListModelsRequest, context: Any
    ) -> catalog.ListModelsResponse:
        """Lists the models of all live workers."""
        models: dict[tuple[int, bytes], catalog.Model] = {}
        for worker in await self._workers.workers():
            if request.stage not in (common.STAGE_UNSPECIFIED, worker.stage):
                continue
            for info in worker.models:
                # Stages may share a model, such as the language model of two of them.
                key = (worker.stage, info.SerializeToString(deterministic=True))
                model = models.setdefault(key, catalog.Model(stage=worker.stage, info=info))
                model.worker_count += 1
        ordered = sorted(models.values(), key=_by_stage_and_name)
        return catalog.ListModelsResponse(models=ordered)

    async def ListTemplates(
        self, request: catalog.ListTemplatesRequest, context: Any
    ) -> catalog.ListTemplatesResponse:
        """Lists the templates that a summary can fill."""
        templates = await self._templates.listed(current_caller().tenant)
        return catalog.ListTemplatesResponse(templates=templates)

    async def GetTemplate(
        self, request: catalog.GetTemplateRequest, context: Any
    ) -> catalog.GetTemplateResponse:
        """Gets one template with its schema and prompt."""
        check_template_id(request.template_id, field="template_id")
        version = request.version if request.HasField("version") else None
        tenant = current_caller().tenant
        template = await self._templates.get(tenant, request.template_id, version)
        return catalog.GetTemplateResponse(template=template)

    async def GetMesh(
        self, request: catalog.GetMeshRequest, context: Any
    ) -> catalog.GetMeshResponse:
        """Returns the status of each stage, and what ended in the last minutes."""
        workers, demand = await self._workers.workers(), self._changes.demand()
        queues, letters = await asyncio.gather(
            read_queues(self._broker), count_dead_letters(self._broker)
        )
        active = self._changes.active_jobs.values()
        stages = [_stage_status(each, workers, demand, queues) for each in BINDINGS.values()]
        return catalog.GetMeshResponse(
            version=PIPELINE_VERSION,
            stages=stages,
            active_jobs=len(self._changes.counted_jobs),
            max_active_jobs=self._max_active_jobs,
            blob_store=self._blob_store,
            held_jobs=sum(each.held for each in active),
            live_sessions=sum(each.live for each in active),
            dead_letters=letters,
            throughput=self._throughput.report(),
            gateways=self._workers.gateways(),
        )


def _stage_status(
    binding: StageBinding,
    workers: list[event.WorkerInfo],
    demand: Mapping[tuple[common.Stage, str], int],
    queues: Queues,
) -> catalog.StageStatus:
    status = catalog.StageStatus(
        stage=binding.stage,
        workers=[worker for worker in workers if worker.stage == binding.stage],
    )
    for lane in LANES:
        queue = queues[binding.slug, lane]
        of_lane = status.demand.add(
            lane=lane,
            runnable_units=demand.get((binding.stage, lane), 0),
            pending_units=queue.queued,
            running_units=queue.running,
        )
        if queue.oldest_seconds is not None:
            of_lane.oldest_age.FromNanoseconds(round(queue.oldest_seconds * 1e9))
        status.pending_units += queue.queued
        status.running_units += queue.running
    return status


def _by_stage_and_name(model: catalog.Model) -> tuple[int, str, str]:
    engine = model.info.engine
    return model.stage, engine.engine, engine.model_name
