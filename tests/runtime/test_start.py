"""What a part of the mesh says and does when it starts and NATS does not answer."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.waiting import PATIENCE_SECONDS

pytestmark = pytest.mark.unit

# Nothing listens on the port tcpmux.
NOBODY = "127.0.0.1:1"
TUNABLES = "GLIBC_TUNABLES"


@asynccontextmanager
async def part(name: str, tmp_path: Path, **environment: str) -> AsyncIterator[Process]:
    """A service or gateway whose NATS does not answer; killed in the end."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", f"maie_{name}"),
        env={
            **{key: value for key, value in os.environ.items() if key != TUNABLES},
            "MAIE_NATS_URL": f"nats://maie:secret@{NOBODY}",
            "MAIE_BLOB_URL": tmp_path.as_uri(),
            f"MAIE_{name.upper()}_LISTEN": "127.0.0.1:0",
            **environment,
        },
        stderr=PIPE,
    )
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def line(process: Process) -> str:
    assert process.stderr is not None
    return (await process.stderr.readline()).decode()


def environment_of(process: Process) -> str:
    """The process's variables with colons between them; glibc writes zeros over some colons."""
    return Path(f"/proc/{process.pid}/environ").read_text().replace("\0", ":")


@pytest.mark.parametrize("name", ["asr", "gateway"])
async def test_a_part_that_waits_for_nats_names_its_address_and_no_password(
    name: str, tmp_path: Path
) -> None:
    async with part(name, tmp_path) as process:
        logged = await line(process)
    fields = json.loads(logged)
    assert (fields["event"], fields["servers"]) == ("broker.waiting", [NOBODY])
    assert "secret" not in logged


@pytest.mark.parametrize(
    ("name", "variable"),
    [
        ("asr", "MAIE_ASR_ENGINE"),
        ("enhancement", "MAIE_ENHANCEMENT_ENGINE"),
        ("preprocess", "MAIE_PREPROCESS_VAD"),
        ("summary", "MAIE_SUMMARY_ENGINE"),
    ],
)
async def test_a_wrong_engine_is_reported_before_nats_is_waited_for(
    name: str, variable: str, tmp_path: Path
) -> None:
    async with part(name, tmp_path, **{variable: "ears"}) as process:
        fields = json.loads(await line(process))
        assert await process.wait() == 1
    assert (fields["event"], fields["reason"]) == ("service.failed", "ENGINE_NOT_FOUND")
    assert "'ears'" in fields["error"]


@pytest.mark.skipif("CS_GNU_LIBC_VERSION" not in os.confstr_names, reason="not glibc")
@pytest.mark.parametrize(
    ("given", "used"),
    [
        ({}, "glibc.malloc.tcache_count=0"),
        (
            {TUNABLES: "glibc.malloc.hugetlb=1"},
            "glibc.malloc.hugetlb=1:glibc.malloc.tcache_count=0",
        ),
        ({TUNABLES: "glibc.malloc.tcache_count=9"}, "glibc.malloc.tcache_count=9"),
    ],
)
async def test_a_gateway_runs_without_caches_of_threads_unless_somebody_set_them(
    given: Mapping[str, str], used: str, tmp_path: Path
) -> None:
    async with part("gateway", tmp_path, **given) as process:
        await line(process)
        assert f":{TUNABLES}={used}:" in environment_of(process)
