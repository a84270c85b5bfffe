"""People who speak in the jobs of empty stages, by embeddings that are made, not heard."""

from __future__ import annotations

import math
import random
from array import array
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

from maie.common.v1 import types_pb2 as common
from maie.diarization.v1 import diarization_pb2 as diarization
from maie.job.v1 import job_pb2 as job
from maie.tenant.v1 import tenant_pb2 as tenants
from maie_client import Client
from maie_client.voices import consent
from maie_core.durations import duration, time_range
from tests.empty_stages import ENGINE

DIMENSIONS = 16
SPACE = "empty:0"
LIKELY = 0.6
AGREED = consent("Anna agreed by e-mail.", datetime(2026, 11, 30, 9, tzinfo=UTC))
TURN_SECONDS = 5

Answer = Callable[[Any, Any, int], list[diarization.DiarizeResponse]]


def person(name: str, day: int = 0) -> bytes:
    """How somebody sounds, a little differently each day."""
    voice, mood = random.Random(name), random.Random(f"{name}{day}")
    values = [voice.gauss(0, 1) + mood.gauss(0, 0.1) for _ in range(DIMENSIONS)]
    length = math.hypot(*values)
    return array("f", [value / length for value in values]).tobytes()


def speaking(*embeddings: bytes, clean: float = TURN_SECONDS, space: str = SPACE) -> Answer:
    """A diarization stage in whose jobs people speak in turn, for five seconds each.

    Args:
        embeddings: How each sounds; empty for one of whom too little is heard alone.
        clean: How much of each is heard alone, in seconds.
        space: The space of the embeddings.
    """
    spans = [
        time_range(place * TURN_SECONDS, (place + 1) * TURN_SECONDS)
        for place in range(len(embeddings))
    ]

    def answer(
        request: diarization.DiarizeRequest, _: Any, __: int
    ) -> list[diarization.DiarizeResponse]:
        match request.WhichOneof("source"):
            case "speech_chunk":
                found = diarization.Voices(
                    chunk=request.speech_chunk, engine=ENGINE, embedding_space=space
                )
                for span, embedding in zip(spans, embeddings, strict=True):
                    found.voices.add(
                        turns=[span],
                        window=span,
                        embedding=embedding,
                        clean_duration=duration(clean),
                    )
                return [diarization.DiarizeResponse(voices=found)]
            case "voices":
                made = _told_apart(spans, embeddings, clean, space)
                return [diarization.DiarizeResponse(diarization=made)]
            case _:
                return [diarization.DiarizeResponse(transcript=_transcript(spans))]

    return answer


async def job_of(client: Client, name: str = "") -> str:
    """A finished job whose speakers are told apart; gives its id."""

    async def recording() -> Any:
        yield b"sound"

    asked = {"features": ["raw_transcript", "speakers"], "display_name": name}
    events = client.process(recording(), **asked)  # type: ignore[arg-type]
    done = [each async for each in events][-1].finished.job
    assert done.state == job.JOB_STATE_COMPLETE
    return done.job_id


async def allow_voices(client: Client, tenant: str = "default", most: int = 50) -> None:
    """Lets a tenant enrol voices."""
    known = {each.tenant: each.limits_revision for each in await client.tenants.list()}
    limits = tenants.TenantLimits(voices=most)
    await client.tenants.set_limits(tenant, limits, known.get(tenant, 0))


def _told_apart(
    spans: Sequence[common.TimeRange], embeddings: Sequence[bytes], clean: float, space: str
) -> diarization.Diarization:
    made = diarization.Diarization(engine=ENGINE, embedding_space=space, same_person=LIKELY)
    for number, (span, embedding) in enumerate(zip(spans, embeddings, strict=True), start=1):
        speaker = f"S{number}"
        made.speakers.add(speaker=speaker, speech_duration=duration(TURN_SECONDS))
        made.turns.add(range=span, speaker=speaker)
        if embedding:
            made.voices.add(speaker=speaker, embedding=embedding, clean_duration=duration(clean))
    return made


def _transcript(spans: Sequence[common.TimeRange]) -> common.Transcript:
    made = common.Transcript(language_code="en", asr_engine=ENGINE, diarization_engine=ENGINE)
    for number, span in enumerate(spans, start=1):
        made.segments.add(
            segment_id=f"c0000-s{number:04d}",
            start_offset=span.start_offset,
            end_offset=span.end_offset,
            text=f"Turn {number}.",
            speaker=f"S{number}",
        )
    return made
