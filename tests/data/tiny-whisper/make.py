"""Voices sentences that the tiny Whisper model knows, with flite (Debian package `flite`)."""

from __future__ import annotations

import subprocess
import tempfile
import wave
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

HERE = Path(__file__).parent
SAMPLE_RATE = 16_000
PAUSE = np.zeros(SAMPLE_RATE * 7 // 10, np.int16)
RECORDINGS = {
    "schedule": [("awb", "The project is on schedule.")],
    "bug-and-budget": [
        ("rms", "I will fix the bug by Friday."),
        ("awb", "The budget was approved last week."),
    ],
}


def speak(voice: str, sentence: str) -> np.ndarray:
    """Voices a sentence: samples at 16 kHz."""
    with tempfile.NamedTemporaryFile(suffix=".wav") as file:
        subprocess.run(["flite", "-voice", voice, "-t", sentence, "-o", file.name], check=True)
        with wave.open(file.name) as speech:
            return np.frombuffer(speech.readframes(speech.getnframes()), np.int16)


def write_flac(path: Path, samples: np.ndarray) -> None:
    """Writes a mono FLAC file of 16 bits."""
    with av.open(str(path), "w", format="flac") as container:
        stream = container.add_stream("flac", rate=SAMPLE_RATE, layout="mono", format="s16")
        frame = av.AudioFrame.from_ndarray(samples[np.newaxis], format="s16", layout="mono")
        frame.sample_rate = SAMPLE_RATE
        frame.time_base = Fraction(1, SAMPLE_RATE)
        for packet in [*stream.encode(frame), *stream.encode(None)]:
            container.mux(packet)


if __name__ == "__main__":
    for name, turns in RECORDINGS.items():
        pieces = [PAUSE]
        for voice, sentence in turns:
            pieces += [speak(voice, sentence), PAUSE]
        write_flac(HERE / f"{name}.flac", np.concatenate(pieces))
