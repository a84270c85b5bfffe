"""TemplateService: the templates that tenants make themselves."""

from __future__ import annotations

import asyncio
from typing import Any

from maie.summary.v1 import summary_pb2 as summary
from maie.template.v1 import stored_pb2 as stored
from maie.template.v1 import template_pb2 as template
from maie.template.v1 import template_pb2_grpc
from maie_core.caller import current_caller
from maie_core.errors import Code, StageError
from maie_core.reasons import Reason
from maie_gateway.intake.submit_config import check_template_id
from maie_gateway.records.store import JobStore
from maie_gateway.rpc.job_ids import checked_job_id
from maie_gateway.templates.checks import checked, problem_of_id, problems_of
from maie_gateway.templates.choice import Templates
from maie_runtime.blobs import Blobs

MAX_CHECKS = 2
"""The most checks of a gateway at a time: a schema can be made to take a core for seconds."""


class TemplateService(template_pb2_grpc.TemplateServiceServicer):
    """Serves maie.template.v1.TemplateService; callers see their tenant's templates only."""

    def __init__(self, templates: Templates, store: JobStore, blobs: Blobs) -> None:
        self._templates = templates
        self._store = store
        self._blobs = blobs
        self._checks = asyncio.Semaphore(MAX_CHECKS)

    async def CheckTemplate(
        self, request: template.CheckTemplateRequest, context: Any
    ) -> template.CheckTemplateResponse:
        """Checks a template, and stores nothing."""
        async with self._checks:
            found = await asyncio.to_thread(_problems, request)
        return template.CheckTemplateResponse(problems=found)

    async def SaveTemplate(
        self, request: template.SaveTemplateRequest, context: Any
    ) -> template.SaveTemplateResponse:
        """Saves a new template, or the next version of one."""
        async with self._checks:
            content = await asyncio.to_thread(checked, request)
        saved = await self._templates.save(current_caller(), content, request.base_version)
        return template.SaveTemplateResponse(saved=_described(saved))

    async def ListTemplateVersions(
        self, request: template.ListTemplateVersionsRequest, context: Any
    ) -> template.ListTemplateVersionsResponse:
        """Lists the versions of a template, newest first."""
        check_template_id(request.template_id, field="template_id")
        found = await self._templates.versions(current_caller().tenant, request.template_id)
        return template.ListTemplateVersionsResponse(versions=map(_described, found))

    async def DeleteTemplate(
        self, request: template.DeleteTemplateRequest, context: Any
    ) -> template.DeleteTemplateResponse:
        """Deletes a template with all of its versions."""
        check_template_id(request.template_id, field="template_id")
        await self._templates.delete(current_caller().tenant, request.template_id)
        return template.DeleteTemplateResponse()

    async def GetJobTemplate(
        self, request: template.GetJobTemplateRequest, context: Any
    ) -> template.GetJobTemplateResponse:
        """Gets the template of a job as it was when the job was accepted."""
        job_id = checked_job_id(request.job_id)
        of = (await self._store.get_own(job_id, current_caller().tenant)).record
        if not of.HasField("template"):
            raise _no_template(job_id)
        async with self._store.reading(job_id):
            found = await self._blobs.get_message(of.template, summary.Template)
        return template.GetJobTemplateResponse(template=found)


def _problems(request: template.CheckTemplateRequest) -> list[template.TemplateProblem]:
    found = []
    if request.template_id and (of_id := problem_of_id(request.template_id)):
        found.append(template.TemplateProblem(part="template_id", message=_sentence(of_id)))
    for problem in problems_of(request):
        found.append(
            template.TemplateProblem(
                part=problem.part,
                message=_sentence(str(problem)),
                pointer=problem.pointer,
                line=problem.line,
            )
        )
    return found


def _sentence(problem: str) -> str:
    return f"{problem[0].upper()}{problem[1:]}."


def _described(saved: stored.SavedVersion) -> template.SavedTemplate:
    return template.SavedTemplate(
        version=saved.version,
        save_time=saved.save_time,
        author=saved.author,
        sha256=saved.sha256,
    )


def _no_template(job_id: str) -> StageError:
    return StageError(
        Code.NOT_FOUND,
        Reason.TEMPLATE_NOT_FOUND,
        f"The job {job_id} has no template, since it has no summary.",
    )
