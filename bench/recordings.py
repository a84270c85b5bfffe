"""Recordings of any length, made of the sample."""

from __future__ import annotations

import math
import wave
from pathlib import Path

import av

ROOT = Path(__file__).resolve().parent.parent
SAMPLE = ROOT / "samples" / "standup.flac"
SAMPLE_RATE = 16_000
SAMPLE_BYTES = 2


def repeated_sample(path: Path, seconds: float) -> float:
    """Writes the sample, as often as it takes, to a WAV file of 16 kHz mono 16-bit PCM.

    Args:
        path: Where to write it.
        seconds: How long it is to be at least.

    Returns:
        Its length in seconds.
    """
    once = decode(SAMPLE)
    times = math.ceil(seconds * SAMPLE_RATE * SAMPLE_BYTES / len(once))
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(SAMPLE_BYTES)
        file.setframerate(SAMPLE_RATE)
        for _ in range(times):
            file.writeframes(once)
    return times * len(once) / (SAMPLE_RATE * SAMPLE_BYTES)


def decode(path: Path) -> bytes:
    """The samples of a file: 16-bit PCM of 16 kHz, mono."""
    resampler = av.AudioResampler(format="s16", layout="mono", rate=SAMPLE_RATE)
    with av.open(str(path)) as container:
        frames = [
            resampled
            for frame in (*container.decode(audio=0), None)
            for resampled in resampler.resample(frame)
        ]
    return b"".join(frame.to_ndarray().tobytes() for frame in frames)
