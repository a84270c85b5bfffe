"""Prompts are rendered within bounds, whatever they try."""

from __future__ import annotations

import asyncio
import tracemalloc

import psutil
import pytest

from maie_core.errors import Code, StageError
from maie_templates import PromptLimits, TemplateLibrary, render_prompt
from maie_templates.prompt import check_prompt
from tests.waiting import PATIENCE_SECONDS, until

pytestmark = pytest.mark.unit

VARIABLES = {
    "title": "Notes",
    "description": "Short notes.",
    "schema": "{}",
    "transcript": "Good morning. {{ 7 * 7 }} {% raw %} <b>",
    "language": "en",
}
TIGHT = PromptLimits(seconds=2, memory_bytes=256 * 1024 * 1024, output_chars=100_000)


async def test_the_prompt_that_ships_renders_with_the_transcript_as_it_is() -> None:
    prompt = TemplateLibrary().get("meeting_notes_v1").prompt
    text = await render_prompt(prompt, VARIABLES)
    assert f"<transcript>\n{VARIABLES['transcript']}\n</transcript>\n" in text


@pytest.mark.parametrize(
    "prompt",
    [
        '{{ "a" * 10 ** 10 }}',
        "{{ 10 ** (10 ** 10) }}",
        '{{ "%1000000000d" % 1 }}',
        "{% for i in range(99999) %}{% for j in range(99999) %}{% endfor %}{% endfor %}",
        "{% for i in range(99999) %}{{ transcript }}{% endfor %}",
        "{{ range(10 ** 9) }}",
        "{{ ''.__class__.__mro__[1].__subclasses__() }}",
        "{{ cycler.__init__.__globals__.os }}",
        "{{ 'a' | center(1000000000) }}",
        "{{ 1 / 0 }}",
        "{{ transcript.no_such_thing }}",
        "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
    ],
)
async def test_a_prompt_that_reaches_out_or_never_ends_is_rejected(prompt: str) -> None:
    tracemalloc.start()
    check_prompt(prompt)
    _, most_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most_bytes < 2**20, "checking must not evaluate anything"
    with pytest.raises(StageError) as caught:
        async with asyncio.timeout(PATIENCE_SECONDS):
            await render_prompt(prompt, VARIABLES, TIGHT)
    assert (caught.value.code, caught.value.reason) == (Code.INVALID_ARGUMENT, "TEMPLATE_REJECTED")


async def test_cancelling_ends_the_process() -> None:
    forever = "{% for i in range(99999) %}{% for j in range(99999) %}{% endfor %}{% endfor %}"
    limits = PromptLimits(seconds=10 * PATIENCE_SECONDS)
    before = set(psutil.Process().children())
    task = asyncio.create_task(render_prompt(forever, VARIABLES, limits))
    (renderer,) = await until(lambda: set(psutil.Process().children()) - before)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        async with asyncio.timeout(PATIENCE_SECONDS):
            await task
    assert not renderer.is_running()
