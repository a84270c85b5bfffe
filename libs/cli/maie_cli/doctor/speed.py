"""Measures how fast this machine transcribes, with speech that ships with the command.

`speech.opus` is two sentences of a LibriVox volunteer's reading of Jane Austen's *Sense and
Sensibility*, which is in the public domain.
"""

from __future__ import annotations

import asyncio
import io
import time
import wave
from contextlib import aclosing
from importlib.resources import files
from typing import Any

from maie.asr.v1 import asr_pb2 as asr
from maie_cli.doctor.finding import Finding, bad
from maie_core.errors import StageError
from maie_runtime.blobs import Blobs
from maie_runtime.worker.stage import StageContext

SAMPLE_RATE = 16_000
# Two sentences of 10.9 s with their pauses, both repeated and then the first: nearly one window of
# 30 s, which Whisper always computes as a whole.
MEASURED_SECONDS = 28.8
# A machine that takes longer is much too slow.
PATIENCE_SECONDS = 120.0


async def speed(stage: Any, slots: int, blobs: Blobs) -> Finding:
    """Transcribes in all slots of a worker at once and reports the throughput of an hour.

    Args:
        stage: The ASR stage, loaded.
        slots: The chunks that a worker transcribes concurrently.
        blobs: An object store.
    """
    what = "speed"
    speech = await asyncio.to_thread(read_speech)
    started = time.perf_counter()
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            await asyncio.gather(*(_transcribe(stage, speech, blobs) for _ in range(slots)))
    except StageError as error:
        return bad(what, error.reason, error.message)
    except TimeoutError:
        return bad(
            what,
            f"{MEASURED_SECONDS:.0f} s of speech take more than {PATIENCE_SECONDS:.0f} s",
            "take a smaller model or a faster machine; docs/models.md names some",
        )
    factor = (time.perf_counter() - started) / (slots * MEASURED_SECONDS)
    return Finding(what=what, detail=capacity(factor, slots))


def capacity(factor: float, slots: int) -> str:
    """Describes a real-time factor for a person.

    Args:
        factor: Seconds of work for a second of audio, with all slots; above 0.
        slots: The chunks that were transcribed concurrently.
    """
    times = 1 / factor
    at_once = f"{slots} at once" if slots > 1 else "one after another"
    seen = f"real-time factor {factor:.2g} with recordings {at_once}: "
    if times < 1:
        return f"{seen}{60 * times:.0f} minutes of audio an hour, slower than people speak"
    streams = int(times)
    live = f"{streams} stream" + ("s" if streams > 1 else "")
    return f"{seen}{times:.1f} hours of audio an hour, or {live} as fast as people speak"


async def _transcribe(stage: Any, speech: bytes, blobs: Blobs) -> None:
    request = asr.TranscribeRequest(audio_content=speech)
    context = StageContext(
        job_id="doctor", unit="direct", attempt=1, blobs=blobs, folder="direct/doctor"
    )
    async with aclosing(stage.run(request, context)) as responses:
        async for _ in responses:
            pass


def read_speech() -> bytes:
    """The speech as a WAV file: 16 kHz, mono, 16-bit PCM."""
    import av

    resampler = av.AudioResampler(format="s16", layout="mono", rate=SAMPLE_RATE)
    packed = files("maie_cli.doctor").joinpath("speech.opus").read_bytes()
    with av.open(io.BytesIO(packed), "r") as container:
        frames = (each for frame in container.decode(audio=0) for each in resampler.resample(frame))
        once = b"".join(frame.to_ndarray().tobytes() for frame in frames)
    size = 2 * round(SAMPLE_RATE * MEASURED_SECONDS)
    target = io.BytesIO()
    with wave.open(target, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(SAMPLE_RATE)
        file.writeframes((once * (size // len(once) + 1))[:size])
    return target.getvalue()
