"""A template and its messages in the contract."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from maie.summary.v1 import summary_pb2 as summary
from maie_core.errors import StageError, invalid
from maie_core.reasons import Reason
from maie_templates.checks import check_schema
from maie_templates.examples import Example, parse_examples
from maie_templates.problems import TemplateProblem
from maie_templates.prompt import check_prompt

TEMPLATE_ID = re.compile(r"[a-z0-9_]{1,64}")


@dataclass(kw_only=True, frozen=True, slots=True)
class Template:
    """A checked template.

    Attributes:
        template_id: 1 to 64 of a-z, 0-9 and underscore.
        schema_json: The JSON Schema as text.
        schema: The same, parsed. Read-only.
        prompt: The Jinja2 prompt.
        examples_json: The examples as text; empty for none.
        examples: The same, parsed.
        sha256: The SHA-256 over schema, prompt and examples, in lower-case hexadecimal.
        version: The version of a template of a tenant's own, from 1; 0 for one of the deployment.
    """

    template_id: str
    schema_json: str
    schema: Mapping[str, Any]
    prompt: str
    sha256: str
    examples_json: str = ""
    examples: tuple[Example, ...] = ()
    version: int = 0

    @property
    def title(self) -> str:
        """The display name."""
        return str(self.schema["title"])

    @property
    def description(self) -> str:
        """The purpose of the template."""
        return str(self.schema["description"])

    @classmethod
    def parse(
        cls, template_id: str, schema_json: str, prompt: str, examples_json: str = ""
    ) -> Template:
        """Checks a template.

        Raises:
            StageError: INVALID_ARGUMENT with TEMPLATE_REJECTED, saying why.
        """
        if not TEMPLATE_ID.fullmatch(template_id):
            raise rejected(template_id, "its id is not 1 to 64 of a-z, 0-9 and _")
        try:
            schema = check_schema(schema_json)
            check_prompt(prompt)
            examples = parse_examples(examples_json, schema)
        except TemplateProblem as error:
            raise rejected(template_id, str(error)) from error
        # A zero byte, which occurs in none of them, separates them. A template without examples
        # keeps the hash from before examples existed.
        texts = [schema_json, prompt, *([examples_json] if examples_json else [])]
        digest = hashlib.sha256("\0".join(texts).encode()).hexdigest()
        return cls(
            template_id=template_id,
            schema_json=schema_json,
            schema=schema,
            prompt=prompt,
            sha256=digest,
            examples_json=examples_json,
            examples=examples,
        )

    @classmethod
    def problems(
        cls, schema_json: str, prompt: str, examples_json: str = ""
    ) -> list[TemplateProblem]:
        """What `parse` would refuse: the first problem of each part, in the parts' order.

        Of examples for an invalid schema, nothing is known.
        """
        found, schema = [], None
        try:
            schema = check_schema(schema_json)
        except TemplateProblem as problem:
            found.append(problem)
        try:
            check_prompt(prompt)
        except TemplateProblem as problem:
            found.append(problem)
        try:
            if schema is not None:
                parse_examples(examples_json, schema)
        except TemplateProblem as problem:
            found.append(problem)
        return found

    @classmethod
    def from_message(cls, message: summary.Template) -> Template:
        """Checks a stored template.

        Raises:
            StageError: INVALID_ARGUMENT with TEMPLATE_REJECTED, saying why.
        """
        template = cls.parse(
            message.template_id, message.schema_json, message.prompt, message.examples_json
        )
        if template.sha256 != message.sha256:
            why = "its SHA-256 is not that of its schema, prompt and examples"
            raise rejected(message.template_id, why)
        return replace(template, version=message.version)

    def to_message(self) -> summary.Template:
        """The template as the contract's message."""
        return summary.Template(
            template_id=self.template_id,
            title=self.title,
            description=self.description,
            schema_json=self.schema_json,
            prompt=self.prompt,
            sha256=self.sha256,
            examples_json=self.examples_json,
            version=self.version,
        )


def rejected(template_id: str, why: str, *, field: str = "") -> StageError:
    """The error for an invalid template."""
    return invalid(
        Reason.TEMPLATE_REJECTED,
        f"The template {template_id[:64]!r} cannot be used: {why}.",
        field=field,
    )
