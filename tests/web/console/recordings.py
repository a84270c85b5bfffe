"""Recordings of empty stages, with the words that a test wants."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from maie.asr.v1 import asr_pb2 as asr
from maie.common.v1 import types_pb2 as common
from maie.job.v1 import job_pb2 as job
from maie_client import Client
from maie_web.console import PAGE, STATIC
from tests.browser import needs_chromium
from tests.empty_stages import ENGINE

ROOT = Path(__file__).parents[3]
SECONDS = 4

needs_console = (
    pytest.mark.mesh,
    needs_chromium,
    pytest.mark.skipif(not (STATIC / PAGE).exists(), reason="the console is missing: make console"),
)

Answer = Callable[[Any, Any, int], Sequence[asr.TranscribeResponse]]


def spoken(
    *lines: str,
    confidence: float | None = None,
    punctuated: bool = False,
    speakers: Sequence[str] = (),
) -> Answer:
    """An ASR stage that hears these lines, each of them 4 s long, word by word.

    Args:
        lines: The lines.
        confidence: How sure it is of each word.
        punctuated: Whether it writes them as they are to be read, so that nothing cleans them.
        speakers: Who says each line, such as "S1"; nobody is told apart where there are none.
    """
    transcript = common.Transcript(language_code="en", asr_engine=ENGINE, punctuated=punctuated)
    for index, line in enumerate(lines):
        segment = transcript.segments.add(segment_id=f"c0000-s{index:04d}", text=line)
        if speakers:
            segment.speaker = speakers[index]
        _place(segment, SECONDS * index, SECONDS * (index + 1))
        words = line.split()
        for number, each in enumerate(words):
            start = SECONDS * (index + number / len(words))
            word = segment.words.add(word=each, confidence=confidence)
            _place(word, start, start + SECONDS / len(words))
    return lambda *_: [asr.TranscribeResponse(result=transcript)]


def _place(message: common.Segment | common.Word, start: float, end: float) -> None:
    message.start_offset.FromMilliseconds(round(1000 * start))
    message.end_offset.FromMilliseconds(round(1000 * end))


async def add(client: Client, name: str = "talk.wav", **options: Any) -> job.Job:
    """Adds a recording, and waits until it has ended and the library knows that."""
    features = ("raw_transcript",)
    made = await client.create_job(_sound(), features=features, display_name=name, **options)
    return await ended(client, made.job_id)


async def ended(client: Client, job_id: str) -> job.Job:
    """Waits until a job has ended and is so in lists."""
    async for _ in client.watch_job(job_id):
        pass
    states = (job.JOB_STATE_COMPLETE, job.JOB_STATE_FAILED)
    while not [
        each async for each in client.list_jobs() if each.job_id == job_id and each.state in states
    ]:
        pass
    return await client.get_job(job_id)


async def _sound() -> AsyncIterator[bytes]:
    yield b"sound"
