"""Checks of what a tenant wants to save: those of every template, and the limits of tenants."""

from __future__ import annotations

import json

from maie.template.v1 import template_pb2 as template
from maie_core.limits import MAX_TEMPLATE_DESCRIPTION_CHARACTERS, MAX_TEMPLATE_TITLE_CHARACTERS
from maie_core.names import is_harmless
from maie_templates import Template, TemplateProblem
from maie_templates.library import TEMPLATE_ID
from maie_templates.template import rejected

Content = template.SaveTemplateRequest | template.CheckTemplateRequest


class ShownProblem(TemplateProblem):
    """A template's title or description is too long for lists."""

    part = "schema_json"


def problems_of(content: Content) -> list[TemplateProblem]:
    """What is wrong with a template: the first problem of each part. Takes milliseconds."""
    found = Template.problems(content.schema_json, content.prompt, content.examples_json)
    if not any(problem.part == ShownProblem.part for problem in found):
        found = [*_problems_of_lists(content.schema_json), *found]
    return found


def checked(request: template.SaveTemplateRequest) -> Template:
    """The template that a tenant wants to save.

    Raises:
        StageError: INVALID_ARGUMENT with TEMPLATE_REJECTED; the field says which part, and where.
    """
    if id_problem := problem_of_id(request.template_id):
        raise rejected(request.template_id, id_problem, field="template_id")
    for problem in problems_of(request):
        raise rejected(request.template_id, str(problem), field=problem.place)
    return Template.parse(
        request.template_id, request.schema_json, request.prompt, request.examples_json
    )


def problem_of_id(template_id: str) -> str:
    """What is wrong with an id; empty for nothing."""
    return "" if TEMPLATE_ID.fullmatch(template_id) else "its id is not 1 to 64 of a-z, 0-9 and _"


def _problems_of_lists(schema_json: str) -> list[TemplateProblem]:
    """What lists cannot show of a schema that is valid."""
    schema = json.loads(schema_json)
    title, description = str(schema["title"]), str(schema["description"])
    if len(title) > MAX_TEMPLATE_TITLE_CHARACTERS or not is_harmless(title):
        most = MAX_TEMPLATE_TITLE_CHARACTERS
        why = f"the title is not one line of at most {most} characters without direction marks"
        return [ShownProblem(why, pointer="/title")]
    if len(description) > MAX_TEMPLATE_DESCRIPTION_CHARACTERS:
        why = f"the description has more than {MAX_TEMPLATE_DESCRIPTION_CHARACTERS} characters"
        return [ShownProblem(why, pointer="/description")]
    return []
