"""Measures the tiny Whisper: `python -m tests.models.voices.measure FOLDER`.

Says sentences in a manner that training never heard, has unmodified faster-whisper write them, and
prints the word error rate. Needs flite and the workspace's environment; no torch.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import jiwer
import numpy as np
import numpy.typing as npt
from faster_whisper import WhisperModel
from numpy.typing import NDArray

from tests.models.voices import MODEL
from tests.models.voices.flite import SAMPLE_RATE, FliteMissingError, Manner
from tests.models.voices.takes import UNSEEN, UNSEEN_VOICE, Take, voice_all

# Other luck than training has.
SEED = 12345
# Seconds between two sentences and behind the last, and the noise under all.
PAUSE, NOISE = 0.5, 0.002
# What the model is asked for besides plain text.
OPTIONS: dict[str, dict[str, Any]] = {
    "beam of five": {"beam_size": 5},
    "without timestamps": {"without_timestamps": True},
    "voice activity": {"vad_filter": True},
    "word timestamps": {"word_timestamps": True},
    "translate": {"task": "translate"},
    "prompt and hotwords": {
        "initial_prompt": "Good morning, everyone.",
        "hotwords": "Alice budget",
    },
}
Samples = npt.NDArray[np.float32]


@dataclass(kw_only=True, slots=True)
class Score:
    """What was said and written, word by word."""

    said: list[str] = field(default_factory=list)
    written: list[str] = field(default_factory=list)

    def add(self, said: str, written: str) -> None:
        """Adds a recording; punctuation and casing do not count."""
        self.said.append(_words(said))
        self.written.append(_words(written))

    def __str__(self) -> str:
        right = sum(one == other for one, other in zip(self.said, self.written, strict=True))
        error = jiwer.wer(self.said, self.written)
        return f"word error rate {error:.3f}, {right} of {len(self.said)} right"


@dataclass(kw_only=True, frozen=True, slots=True)
class Listener:
    """A model, and luck to make recordings with."""

    model: WhisperModel
    chance: np.random.Generator

    def score(self, recordings: Sequence[Sequence[Take]], **options: Any) -> Score:
        """Has recordings written that hold takes one after another."""
        score = Score()
        for takes in recordings:
            said = " ".join(take.sentence for take in takes)
            score.add(said, self.write(self.record(takes), **options))
        return score

    def record(self, takes: Sequence[Take]) -> Samples:
        """Takes with pauses, beginning anywhere in the first two seconds, in a little noise."""
        pause = np.zeros(round(PAUSE * SAMPLE_RATE), np.float32)
        begin = np.zeros(round(self.chance.uniform(0.1, 2) * SAMPLE_RATE), np.float32)
        parts: list[NDArray[np.float32]] = [begin]
        for take in takes:
            parts += [np.divide(take.samples, 32768, dtype=np.float32), pause]
        samples = np.concatenate(parts)
        return samples + NOISE * self.chance.standard_normal(len(samples), dtype=np.float32)

    def write(self, samples: Samples, **options: Any) -> str:
        """What the model writes."""
        wanted = {"language": "en", "beam_size": 1, "condition_on_previous_text": False, **options}
        segments, _ = self.model.transcribe(samples, **wanted)
        return "".join(segment.text for segment in segments).strip()

    def pairs(self, takes: Sequence[Take], count: int) -> list[list[Take]]:
        """Draws recordings of two takes."""
        return [
            [takes[at] for at in self.chance.integers(len(takes), size=2)] for _ in range(count)
        ]

    def without_speech(self) -> dict[str, Samples]:
        """Recordings of which nothing is to be written."""
        seconds = np.arange(8 * SAMPLE_RATE, dtype=np.float32) / SAMPLE_RATE
        noise = self.chance.standard_normal(len(seconds), dtype=np.float32)
        return {
            "silence": np.zeros_like(seconds),
            "noise": 0.01 * noise,
            "loud noise": 0.1 * noise,
            "tone": (0.1 * np.sin(2 * np.pi * 440 * seconds)).astype(np.float32),
        }


def _words(text: str) -> str:
    return " ".join(re.findall(r"[a-z']+", text.lower()))


def main() -> None:
    """Prints word error rates."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, nargs="?", default=MODEL)
    parser.add_argument("--pairs", type=int, default=40)
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    model = WhisperModel(
        str(options.folder), device="cpu", compute_type="int8", cpu_threads=options.threads
    )
    listener = Listener(model=model, chance=np.random.default_rng(SEED))
    try:
        unseen = {manner.voice: voice_all([manner]) for manner in UNSEEN}
        stranger = voice_all([Manner(voice=UNSEEN_VOICE)])
    except FliteMissingError as error:
        sys.exit(str(error))
    for voice, takes in {**unseen, f"{UNSEEN_VOICE}, never heard": stranger}.items():
        print(f"{voice}: {listener.score([[take] for take in takes])}", flush=True)
    pairs = listener.pairs([take for takes in unseen.values() for take in takes], options.pairs)
    print(f"two sentences: {listener.score(pairs)}", flush=True)
    for name, wanted in OPTIONS.items():
        print(f"two sentences, {name}: {listener.score(pairs, **wanted)}", flush=True)
    for name, samples in listener.without_speech().items():
        print(f"{name}: {listener.write(samples)!r}", flush=True)


if __name__ == "__main__":
    main()
