"""Voices `standup.txt` with flite and writes `standup.flac`, always the same.

Run it after a change of the text. Each line is "VOICE: what it says", and each
voice is one speaker. Needs flite (Debian package `flite`) with these voices.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
import wave
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

HERE = Path(__file__).parent
SAMPLE_RATE = 16_000
# People take turns after 0.6 to 0.8 s. The pauses come in this order, again and again.
PAUSES_SECONDS = (0.6, 0.75, 0.65, 0.8, 0.7)
# Digital silence is not what a microphone hears: noise at about -80 dBFS, from a fixed seed.
NOISE_AMPLITUDE = 3.0
NOISE_SEED = 1

Samples = NDArray[np.int16]


def read_script(path: Path) -> list[tuple[str, str]]:
    """Reads (voice, sentence) pairs, in order."""
    lines = path.read_text(encoding="utf-8").splitlines()
    turns = [line.partition(":") for line in lines if line.strip()]
    return [(voice.strip(), sentence.strip()) for voice, _, sentence in turns]


def speak(voice: str, sentence: str) -> Samples:
    """Voices a sentence: mono samples at 16 kHz."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "speech.wav")
        subprocess.run(["flite", "-voice", voice, "-t", sentence, "-o", str(path)], check=True)  # noqa: S603, S607 - a list of our own, no shell
        with wave.open(str(path)) as speech:
            if (speech.getframerate(), speech.getnchannels()) != (SAMPLE_RATE, 1):
                raise SystemExit(f"flite's voice {voice} is not 16 kHz mono; take awb or rms.")
            return np.frombuffer(speech.readframes(speech.getnframes()), np.int16)


def record(turns: list[tuple[str, str]]) -> Samples:
    """Voices all turns with a pause before, between and after them."""
    pieces = [silence(PAUSES_SECONDS[0])]
    for index, (voice, sentence) in enumerate(turns, 1):
        pieces += [speak(voice, sentence), silence(PAUSES_SECONDS[index % len(PAUSES_SECONDS)])]
    speech = np.concatenate(pieces)
    noise = np.random.default_rng(NOISE_SEED).normal(0, NOISE_AMPLITUDE, len(speech))
    return np.clip(speech + noise.round(), -32768, 32767).astype(np.int16)


def silence(seconds: float) -> Samples:
    """Digital silence."""
    return np.zeros(round(seconds * SAMPLE_RATE), np.int16)


def write_flac(path: Path, samples: Samples) -> None:
    """Writes a mono FLAC file of 16 bits."""
    with av.open(str(path), "w", format="flac") as container:
        stream = container.add_stream("flac", rate=SAMPLE_RATE, layout="mono", format="s16")
        frame = av.AudioFrame.from_ndarray(samples[np.newaxis], format="s16", layout="mono")
        frame.sample_rate = SAMPLE_RATE
        frame.time_base = Fraction(1, SAMPLE_RATE)
        for packet in [*stream.encode(frame), *stream.encode(None)]:
            container.mux(packet)


def main() -> None:
    """Makes the recording."""
    if shutil.which("flite") is None:
        sys.exit("flite was not found; install it (on Debian: apt install flite).")
    samples = record(read_script(HERE / "standup.txt"))
    write_flac(HERE / "standup.flac", samples)
    print(f"standup.flac: {len(samples) / SAMPLE_RATE:.1f} s")


if __name__ == "__main__":
    main()
