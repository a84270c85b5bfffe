"""Joins clips of a LibriVox reading and writes `reading.flac`, always the same.

    pip download pocketsphinx==5.1.1 --no-binary :all: --no-deps
    python samples/make_reading.py pocketsphinx-5.1.1.tar.gz

README.md beside this file says whose voice it is and where the clips come from.
"""

from __future__ import annotations

import io
import sys
import tarfile
import wave
from pathlib import Path

import numpy as np
from make_standup import HERE, SAMPLE_RATE, Samples, write_flac

FOLDER = "pocketsphinx-5.1.1/test/data/librivox"
# Parts of the first chapter, in the order of the book; after 0890 two sentences are left out.
CLIPS = ("0870", "0880", "0890", "0920", "0930")
# A reader's pause after a sentence, and before and after all of them.
PAUSE_SECONDS = 0.7
# A pause is not digital silence: noise as loud as the quietest tenth of the clips.
NOISE_SEED = 1
FRAME_SECONDS = 0.02
QUIETEST = 0.1


def read_clips(archive: Path) -> list[Samples]:
    """The clips of the source distribution: mono samples at 16 kHz."""
    with tarfile.open(archive) as files:
        return [
            _samples(files, f"{FOLDER}/sense_and_sensibility_01_austen_64kb-{clip}.wav")
            for clip in CLIPS
        ]


def _samples(files: tarfile.TarFile, name: str) -> Samples:
    content = files.extractfile(name)
    if content is None:
        raise SystemExit(f"{name} is not in the archive; take pocketsphinx-5.1.1.tar.gz.")
    with wave.open(io.BytesIO(content.read())) as clip:
        if (clip.getframerate(), clip.getnchannels()) != (SAMPLE_RATE, 1):
            raise SystemExit(f"{name} is not 16 kHz mono.")
        return np.frombuffer(clip.readframes(clip.getnframes()), np.int16)


def noise_of(clips: list[Samples]) -> float:
    """The level of the quietest parts: a root mean square of samples."""
    audio = np.concatenate(clips).astype(np.float64)
    frame = round(FRAME_SECONDS * SAMPLE_RATE)
    frames = audio[: len(audio) // frame * frame].reshape(-1, frame)
    return float(np.quantile(np.sqrt((frames**2).mean(axis=1)), QUIETEST))


def join(clips: list[Samples]) -> Samples:
    """All clips, with a pause before, between and after them."""
    random, level = np.random.default_rng(NOISE_SEED), noise_of(clips)
    length = round(PAUSE_SECONDS * SAMPLE_RATE)

    def pause() -> Samples:
        return random.normal(0, level, length).round().astype(np.int16)

    pieces = [pause()]
    for clip in clips:
        pieces += [clip, pause()]
    return np.concatenate(pieces)


def main() -> None:
    """Makes the recording."""
    if len(sys.argv) != 2:
        raise SystemExit(__doc__)
    samples = join(read_clips(Path(sys.argv[1])))
    write_flac(HERE / "reading.flac", samples)
    print(f"reading.flac: {len(samples) / SAMPLE_RATE:.1f} s")


if __name__ == "__main__":
    main()
