"""Summary templates: each has a JSON schema, a Jinja2 prompt and optional examples."""

from maie_templates.checks import check_schema
from maie_templates.examples import Example
from maie_templates.formats import FORMATS, validator
from maie_templates.library import TemplateLibrary
from maie_templates.problems import TemplateProblem
from maie_templates.prompt import PROMPT_VARIABLES, PromptLimits, render_prompt
from maie_templates.settings import TemplateSettings
from maie_templates.template import Template

__all__ = [
    "FORMATS",
    "PROMPT_VARIABLES",
    "Example",
    "PromptLimits",
    "Template",
    "TemplateLibrary",
    "TemplateProblem",
    "TemplateSettings",
    "check_schema",
    "render_prompt",
    "validator",
]
