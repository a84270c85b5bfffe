"""Whisper and vLLM share a GPU, each in a service of its own: never both in memory at once.

There is no GPU here: both run on the CPU, and what they take and free is main memory.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import grpc
import pytest

from maie.asr.v1 import asr_pb2 as asr
from maie.asr.v1 import asr_pb2_grpc
from maie.common.v1 import types_pb2 as common
from maie.enhancement.v1 import enhancement_pb2 as enhancement
from maie.enhancement.v1 import enhancement_pb2_grpc
from tests.asr.heavy_whisper import BALLAST_BYTES, write_heavy_whisper
from tests.asr.recordings import SCHEDULE, read_audio, wav, words_of
from tests.conftest import NatsServer
from tests.vllm.tiny import MODEL, OUTSIDE, SETTINGS, TEXTS

# vLLM takes half a minute to load, three times here, and several where the machine is busy.
pytestmark = [pytest.mark.mesh, pytest.mark.timeout(900)]

START_SECONDS = 300
STOP_SECONDS = 60
SPOKEN = TEXTS[0]


class Service:
    """A service in a process of its own, which logs to a file."""

    def __init__(self, log: Path) -> None:
        self._log = log

    def lines(self) -> list[dict[str, Any]]:
        """What it logged."""
        lines = self._log.read_text().splitlines()
        return [json.loads(line) for line in lines if line.startswith('{"')]

    def stays(self) -> list[tuple[float, float]]:
        """When its model was in memory, from before each load to after each unload."""
        moves = [line for line in self.lines() if line["event"].startswith("model.")]
        ends = [datetime.fromisoformat(line["timestamp"]).timestamp() for line in moves]
        starts = [end - line["seconds"] for line, end in zip(moves, ends, strict=True)]
        assert [line["event"] for line in moves] == [
            ("model.loaded", "model.unloaded")[number % 2] for number in range(len(moves))
        ]
        return list(zip(starts[::2], ends[1::2], strict=True))

    def freed(self) -> list[int]:
        """How many bytes each unload freed."""
        unloads = [line for line in self.lines() if line["event"] == "model.unloaded"]
        return [line["before"]["rss_bytes"] - line["after"]["rss_bytes"] for line in unloads]

    async def address(self) -> str:
        """Where it answers, once it does."""
        async with asyncio.timeout(START_SECONDS):
            while True:
                for line in self.lines():
                    assert line["event"] != "service.failed", line["error"]
                    if line["event"] == "service.ready":
                        return str(line["address"])
                await asyncio.sleep(0.1)


@asynccontextmanager
async def service(package: str, log: Path, **variables: str) -> AsyncIterator[Service]:
    """A service that shares the GPU, from its start to its orderly end."""
    prefix = package.upper()
    with log.open("wb") as file:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", package),
            env={
                **OUTSIDE,
                f"{prefix}_LISTEN": "127.0.0.1:0",
                f"{prefix}_RESIDENCY": "shared-gpu",
                f"{prefix}_GPU": "here/0",
                f"{prefix}_LEASE_SECONDS": "1",
                **variables,
            },
            stderr=file,
        )
    try:
        yield Service(log)
    finally:
        process.terminate()
        try:
            async with asyncio.timeout(STOP_SECONDS):
                await process.wait()
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
    assert process.returncode == 0


def whisper_variables(path: Path) -> dict[str, str]:
    return {
        "MAIE_ASR_ENGINE": "whisper",
        "MAIE_ASR_WHISPER_MODEL_PATH": str(path),
        "MAIE_ASR_WHISPER_CONDITION_ON_PREVIOUS_TEXT": "false",
        "MAIE_ASR_WHISPER_CPU_THREADS": "1",
    }


def vllm_variables() -> dict[str, str]:
    own = {f"MAIE_ENHANCEMENT_VLLM_{name.upper()}": str(each) for name, each in SETTINGS.items()}
    return {
        "MAIE_ENHANCEMENT_ENGINE": "vllm",
        "MAIE_ENHANCEMENT_VLLM_MODEL_PATH": str(MODEL),
        "MAIE_ENHANCEMENT_GENERATION_TEMPERATURE": "0",
        "HF_HUB_OFFLINE": "1",
        **own,
    }


async def transcribe(address: str) -> str:
    async with grpc.aio.insecure_channel(address) as channel:
        request = asr.TranscribeRequest(audio_content=wav(read_audio(SCHEDULE)))
        answers = [each async for each in asr_pb2_grpc.AsrServiceStub(channel).Transcribe(request)]
    return " ".join(segment.text for segment in answers[-1].result.segments)


async def enhance(address: str) -> str:
    segment = common.Segment(segment_id="c0000-s0000", text=" ".join(words_of(SPOKEN)))
    segment.end_offset.FromSeconds(3)
    request = enhancement.EnhanceRequest(
        transcript=common.Transcript(segments=[segment], language_code="en")
    )
    async with grpc.aio.insecure_channel(address) as channel:
        stub = enhancement_pb2_grpc.EnhancementServiceStub(channel)
        answers = [each async for each in stub.Enhance(request)]
    return answers[-1].result.segments[0].clean_text


async def test_whisper_and_vllm_are_never_in_memory_together(
    nats_server: NatsServer, tmp_path: Path
) -> None:
    mesh = {"MAIE_NATS_URL": nats_server.url, "MAIE_BLOB_URL": (tmp_path / "blobs").as_uri()}
    heavy = write_heavy_whisper(tmp_path / "heavy")
    async with (
        service("maie_asr", tmp_path / "asr.log", **mesh, **whisper_variables(heavy)) as hears,
        service("maie_enhancement", tmp_path / "llm.log", **mesh, **vllm_variables()) as writes,
    ):
        hearing, writing = await asyncio.gather(hears.address(), writes.address())
        rounds = [await asyncio.gather(transcribe(hearing), enhance(writing)) for _ in range(2)]
    # The same after they were away as before.
    assert rounds[0] == rounds[1]
    heard, written = rounds[0]
    assert heard == "The project is on schedule."
    assert words_of(written) == words_of(SPOKEN)
    stays = sorted(hears.stays() + writes.stays())
    assert all(before[1] <= after[0] for before, after in pairwise(stays))
    assert min(hears.freed()) > 0.9 * BALLAST_BYTES
    assert min(writes.freed()) > 0.9 * BALLAST_BYTES
    for name, each in (("whisper", hears), ("vLLM", writes)):
        freed = ", ".join(f"{size / 1e6:.0f}" for size in each.freed())
        print(f"{name}: {len(each.stays())} stays; each unload freed {freed} MB")
