"""Renders prompts, which are users' Jinja2 templates, in a sandbox in a separate process.

Jinja's sandbox restricts the attributes and calls of a prompt, but does not prevent
`"a" * 10**8` or endless loops. So the process has limits on time, memory and output.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass

from jinja2 import TemplateSyntaxError, nodes
from jinja2.sandbox import ImmutableSandboxedEnvironment

from maie_core.errors import StageError, invalid
from maie_core.reasons import Reason
from maie_templates import render_child
from maie_templates.problems import TemplateProblem

MAX_PROMPT_BYTES = 64 * 1024
PROMPT_VARIABLES = frozenset(
    {"title", "description", "schema", "examples", "transcript", "language"}
)


@dataclass(kw_only=True, frozen=True, slots=True)
class PromptLimits:
    """The limits on rendering.

    Attributes:
        seconds: Time, including the start of the process.
        memory_bytes: Address space of the process.
        output_chars: Length of the rendered prompt.
    """

    seconds: float = 10.0
    memory_bytes: int = 512 * 1024 * 1024
    output_chars: int = 4_000_000


class PromptProblem(TemplateProblem):
    """A prompt is invalid."""

    part = "prompt"


def check_prompt(prompt: str) -> None:
    """Checks that a prompt parses and uses only known variables and filters.

    Compiles nothing, not even with `jinja2.meta`: Jinja evaluates constant
    expressions and filters when it compiles, without any limit.

    Raises:
        PromptProblem: The prompt is invalid.
    """
    if len(prompt.encode()) > MAX_PROMPT_BYTES:
        raise PromptProblem(f"the prompt is larger than {MAX_PROMPT_BYTES} bytes")
    sandbox = render_child.environment()
    try:
        tree = sandbox.parse(prompt)
        _check_names(sandbox, tree)
        unknown = _asked(tree) - PROMPT_VARIABLES - set(sandbox.globals)
    except TemplateSyntaxError as error:
        raise _at_line(error.lineno, str(error.message)) from error
    except RecursionError as error:
        raise PromptProblem("the prompt is nested too deep") from error
    if unknown:
        known = ", ".join(sorted(PROMPT_VARIABLES))
        raise PromptProblem(f"the prompt asks for {min(unknown)}; it may ask for {known}")


def _asked(tree: nodes.Template) -> set[str]:
    """The variables that a prompt reads and does not set."""
    names = list(tree.find_all(nodes.Name))
    own = {name.name for name in names if name.ctx != "load"} | {"loop", "caller", "varargs"}
    own |= {macro.name for macro in tree.find_all(nodes.Macro)}
    return {name.name for name in names} - own


def _check_names(sandbox: ImmutableSandboxedEnvironment, tree: nodes.Template) -> None:
    loads = (nodes.Include, nodes.Import, nodes.FromImport, nodes.Extends)
    for load in tree.find_all(loads):
        raise _at_line(load.lineno, "it cannot load other templates")
    for kind, known in ((nodes.Filter, sandbox.filters), (nodes.Test, sandbox.tests)):
        for node in tree.find_all(kind):
            if node.name not in known:
                raise _at_line(node.lineno, f"{node.name} is not known")


def _at_line(line: int, why: str) -> PromptProblem:
    return PromptProblem(f"the prompt's line {line}: {why}", line=line)


async def render_prompt(
    prompt: str, variables: Mapping[str, str], limits: PromptLimits | None = None
) -> str:
    """Renders a prompt in a separate process.

    Args:
        prompt: The Jinja2 prompt.
        variables: A text for each of `PROMPT_VARIABLES`.
        limits: The limits on rendering.

    Raises:
        StageError: INVALID_ARGUMENT with TEMPLATE_REJECTED if the prompt
            fails, breaks the sandbox's rules, or exceeds a limit.
    """
    limits = limits or PromptLimits()
    order = {"prompt": prompt, "variables": dict(variables), "limits": asdict(limits)}
    child = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-I", render_child.__file__),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        env={},
    )
    try:
        async with asyncio.timeout(limits.seconds):
            output, _ = await child.communicate(json.dumps(order).encode())
    except TimeoutError as error:
        raise _rejected(f"rendering took more than {limits.seconds:g} s") from error
    finally:
        if child.returncode is None:
            child.kill()
            await child.wait()
    if child.returncode == render_child.REJECTED:
        raise _rejected(output.decode())
    if child.returncode != 0:
        raise _rejected("rendering took too much time or memory")
    return output.decode()


def _rejected(why: str) -> StageError:
    return invalid(Reason.TEMPLATE_REJECTED, f"The template's prompt cannot be rendered: {why}.")
