"""Templates of a user that reach out, never end, or make gigabytes."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import grpc
import psutil
import pytest

from maie.job.v1 import job_pb2 as job
from maie.summary.v1 import summary_pb2 as summary
from maie.summary.v1 import summary_pb2_grpc
from maie_templates import PromptLimits
from tests.attacks.conftest import Besieged, Came, answer, run_job
from tests.mesh.shared.test_templates import ASKED, write
from tests.summary.asking import TALK, transcript
from tests.waiting import PATIENCE_SECONDS, until

pytestmark = pytest.mark.mesh

MEBIBYTE = 1 << 20
NAME = "hostile"
REJECTED = "INVALID_ARGUMENT TEMPLATE_REJECTED"
LOOP = "{% for i in range(99999) %}{% for j in range(99999) %}{% endfor %}{% endfor %}"
UNREADABLE: tuple[tuple[dict[str, Any], str], ...] = (
    ({"questions": {"type": "string", "maxLength": 10**9}}, "{{ transcript }}"),
    ({"questions": ASKED}, "{% include '/etc/passwd' %}"),
    ({"questions": ASKED}, "{% for %}"),
)
HOSTILE = {
    "endless loop": LOOP,
    "endless macro": "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
    "gigabytes at once": '{{ "a" * 10 ** 10 }}',
    "gigabytes by and by": "{% for i in range(99999) %}{{ transcript * 99 }}{% endfor %}",
    "huge number": "{{ 10 ** (10 ** 10) }}",
    "attributes of a string": "{{ ''.__class__.__mro__[1].__subclasses__() }}",
    "globals of a helper": "{{ cycler.__init__.__globals__.os.popen('id').read() }}",
    "attributes by a filter": "{{ ''|attr('__class__')|attr('__mro__') }}",
    "format of attributes": "{{ '{0.__class__.__mro__}'.format(transcript) }}",
}
CALLED = [HOSTILE[each] for each in ("endless loop", "gigabytes at once", "globals of a helper")]


@pytest.mark.attack(12)
async def test_a_template_without_bounds_is_rejected(mesh: Besieged, came: Came) -> None:
    found = set()
    for properties, prompt in UNREADABLE:
        put(mesh, NAME, prompt, properties)
        found |= {await asked(mesh, NAME), await submitted(mesh, NAME)}
        shutil.rmtree(mesh.templates / NAME)
    came(" ".join(found))
    assert found == {REJECTED}


@pytest.mark.attack(12)
async def test_what_a_hostile_prompt_does_is_bounded(mesh: Besieged, came: Came) -> None:
    names = {f"{NAME}_{number}": prompt for number, prompt in enumerate(HOSTILE.values())}
    for name, prompt in names.items():
        put(mesh, name, prompt, {"questions": ASKED})
    mesh.model.lie()
    async with measured(mesh.pids["summary"]) as most:
        async with asyncio.timeout(PATIENCE_SECONDS):
            worked = await asyncio.gather(*(worked_on(mesh, name) for name in names))
            # More at a time than it has slots for, a stage sends away before it looks at them.
            called = [await asked(mesh, name) for name in names if names[name] in CALLED]
        assert mesh.model.asked == [], "a hostile prompt came as far as the model"
    for name in names:
        shutil.rmtree(mesh.templates / name)
    assert dict(zip(HOSTILE, worked, strict=True)) == dict.fromkeys(HOSTILE, REJECTED)
    assert called == [REJECTED] * len(CALLED)
    limit = PromptLimits().memory_bytes // MEBIBYTE
    came(f"rendering: {len(HOSTILE)} of {len(HOSTILE)} {REJECTED}, {most[0]} of {limit} MiB")
    assert 0 < most[0] <= limit
    # No process of a prompt is left.
    service = psutil.Process(mesh.pids["summary"])
    await until(lambda: not renderers(service))


def put(mesh: Besieged, name: str, prompt: str, properties: dict[str, Any]) -> None:
    """Writes a template as its user would."""
    write(mesh.templates / name, properties)
    (mesh.templates / name / "prompt.jinja").write_text(prompt)


async def asked(mesh: Besieged, name: str) -> str:
    """What the stage answers to a call with this template."""
    request = summary.SummarizeRequest(template_id=name, transcript=transcript(TALK))
    async with grpc.aio.insecure_channel(mesh.stage("summary")) as channel:
        return await answer(summary_pb2_grpc.SummaryServiceStub(channel).Summarize(request))


async def submitted(mesh: Besieged, name: str) -> str:
    """What the gateway answers to a submit with this template."""
    async with mesh.client(mesh.ours) as client:
        return await answer(
            client.create_job(mesh.recording, features=("summary",), template_id=name)
        )


async def worked_on(mesh: Besieged, name: str) -> str:
    """How the summary of a job with this template fails."""
    async with mesh.client(mesh.ours) as client:
        ended = await run_job(client, mesh.recording, features=("summary",), template_id=name)
    assert ended.state != job.JOB_STATE_COMPLETE
    return " / ".join(f"{grpc_name(each.code)} {each.reason}" for each in ended.failures)


def grpc_name(number: int) -> str:
    """The name of a status code by its number."""
    return next(code.name for code in grpc.StatusCode if code.value[0] == number)


def renderers(service: psutil.Process) -> list[psutil.Process]:
    """The processes in which a service renders prompts."""
    with suppress(psutil.NoSuchProcess):
        return service.children(recursive=True)
    return []


@asynccontextmanager
async def measured(pid: int) -> AsyncIterator[list[int]]:
    """Looks how much memory in MiB a process's largest child has at most; gives it in a list."""
    service, most = psutil.Process(pid), [0]

    async def look() -> None:
        while True:
            for child in renderers(service):
                with suppress(psutil.NoSuchProcess):
                    most[0] = max(most[0], child.memory_info().rss // MEBIBYTE)
            await asyncio.sleep(0.02)

    looking = asyncio.create_task(look())
    try:
        yield most
    finally:
        looking.cancel()
        await asyncio.gather(looking, return_exceptions=True)
