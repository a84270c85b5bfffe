"""Templates of summaries: the tenant's own, and those that jobs were given."""

from __future__ import annotations

from collections.abc import Callable

from maie.summary.v1 import summary_pb2 as summary
from maie.template.v1 import template_pb2 as template
from maie.template.v1 import template_pb2_grpc as template_grpc
from maie_client.asking import Ask
from maie_client.text import sendable


class Templates:
    """Checks, saves and deletes a tenant's templates; `Client.templates` has it.

    `Client.list_templates` and `Client.get_template` have them beside those that come with the
    deployment. Every method raises ClientError, such as NOT_FOUND with TEMPLATE_NOT_FOUND.
    """

    def __init__(self, stub: Callable[[], template_grpc.TemplateServiceStub], ask: Ask) -> None:
        self._stub = stub
        self._ask = ask

    async def of_job(self, job_id: str) -> summary.Template:
        """Returns the template of a job as it was when the job was accepted."""
        request = template.GetJobTemplateRequest(job_id=sendable(job_id))
        answer: template.GetJobTemplateResponse = await self._ask(
            self._stub().GetJobTemplate, request
        )
        return answer.template

    async def check(
        self, schema_json: str, prompt: str, examples_json: str = "", *, template_id: str = ""
    ) -> list[template.TemplateProblem]:
        """Returns what is wrong with a template; nothing where it can be saved.

        Args:
            schema_json: The JSON Schema as text.
            prompt: The Jinja2 prompt.
            examples_json: The examples as JSON text; empty for none.
            template_id: The id that it is to have; empty: not checked.
        """
        request = template.CheckTemplateRequest(
            template_id=sendable(template_id),
            schema_json=sendable(schema_json),
            prompt=sendable(prompt),
            examples_json=sendable(examples_json),
        )
        return [*(await self._ask(self._stub().CheckTemplate, request)).problems]

    async def save(
        self,
        template_id: str,
        base_version: int,
        schema_json: str,
        prompt: str,
        examples_json: str = "",
    ) -> template.SavedTemplate:
        """Saves the next version of a template.

        Args:
            template_id: The template.
            base_version: The version that was changed, the newest one; 0 for a new template.
            schema_json: The JSON Schema as text.
            prompt: The Jinja2 prompt.
            examples_json: The examples as JSON text; empty for none.

        Raises:
            ClientError: Also ABORTED with TEMPLATE_OUTDATED: somebody saved one meanwhile.
        """
        request = template.SaveTemplateRequest(
            template_id=sendable(template_id),
            base_version=base_version,
            schema_json=sendable(schema_json),
            prompt=sendable(prompt),
            examples_json=sendable(examples_json),
        )
        answer: template.SaveTemplateResponse = await self._ask(self._stub().SaveTemplate, request)
        return answer.saved

    async def versions(self, template_id: str) -> list[template.SavedTemplate]:
        """Returns the versions without their content, newest first."""
        request = template.ListTemplateVersionsRequest(template_id=sendable(template_id))
        return [*(await self._ask(self._stub().ListTemplateVersions, request)).versions]

    async def delete(self, template_id: str) -> None:
        """Deletes a template with all of its versions; jobs keep what they were given."""
        request = template.DeleteTemplateRequest(template_id=sendable(template_id))
        await self._ask(self._stub().DeleteTemplate, request)
