"""Live speech without a model: words are tones, and are read in no time.

Typed fakes for tests and measurements of everything around engines: `say` makes sound, in which
`LoudnessDetector` finds speech and `InstantEngine` reads the words, wherever it is cut. As a
program it is an ASR service: `python -m tests.live_engine`, with the settings of the real one. It
hangs at the word that `HANGS_AT` names, only once where `HANGS_ONCE` names a file.
"""

from __future__ import annotations

import asyncio
import json
import os
import threading
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from weakref import WeakSet

import numpy as np

from maie.common.v1 import types_pb2 as common
from maie_asr.engine import (
    SAMPLE_RATE,
    Capabilities,
    RecognizedSegment,
    RecognizedWord,
    RecognizeOptions,
    Samples,
    Speech,
)
from maie_asr.live.engine import Effort, LiveReading
from maie_asr.live.listening import Heard
from maie_asr.live.service import open_live
from maie_asr.settings import AsrSettings
from maie_asr.stage import TranscribeStage
from maie_core.settings import load_settings
from maie_runtime.worker.server import run_service
from maie_speech.frames import FRAME_SAMPLES

WORDS = [
    "alpha",
    "bravo",
    "charlie",
    "delta",
    "echo",
    "foxtrot",
    "golf",
    "hotel",
    "india",
    "juliett",
    "kilo",
    "lima",
    "mike",
    "november",
    "oscar",
    "papa",
    "quebec",
    "romeo",
    "sierra",
    "tango",
    "uniform",
    "victor",
    "whiskey",
    "xray",
    "yankee",
    "zulu",
]
WORD_SECONDS = 0.2
GAP_SECONDS = 0.06
# A piece of sound of which the tone is found; tones are whole waves of it.
_PIECE = 320
_FIRST_WAVE, _WAVES_APART = 8, 2
_LOUD = 1000
_AMPLITUDE = 8000
# Fewer pieces in a row are the edge of a word.
_LEAST_PIECES = 4


def say(*words: str) -> Samples:
    """The sound of some words."""
    return np.concatenate([np.empty(0, np.int16), *(_sound(word) for word in words)])


def quiet(seconds: float) -> Samples:
    """Silence."""
    return np.zeros(round(seconds * SAMPLE_RATE), np.int16)


def _sound(word: str) -> Samples:
    waves = _FIRST_WAVE + _WAVES_APART * WORDS.index(word)
    time = np.arange(round(WORD_SECONDS * SAMPLE_RATE)) / _PIECE
    tone = np.round(_AMPLITUDE * np.sin(2 * np.pi * waves * time)).astype(np.int16)
    return np.concatenate([tone, quiet(GAP_SECONDS)])


def read_words(samples: Samples) -> tuple[RecognizedWord, ...]:
    """The words of a sound, wherever it begins and ends."""
    pieces = samples[: len(samples) // _PIECE * _PIECE].reshape(-1, _PIECE)
    loud = np.abs(pieces.astype(np.int32)).mean(axis=1) > _LOUD
    waves = np.abs(np.fft.rfft(pieces, axis=1)).argmax(axis=1)
    numbers = np.where(loud, np.round((waves - _FIRST_WAVE) / _WAVES_APART).astype(int), -1)
    return tuple(
        RecognizedWord(
            text=WORDS[number],
            start=start * _PIECE / SAMPLE_RATE,
            end=end * _PIECE / SAMPLE_RATE,
            confidence=0.9,
        )
        for number, start, end in _runs(numbers.tolist())
        if 0 <= number < len(WORDS) and end - start >= _LEAST_PIECES
    )


def _runs(numbers: list[int]) -> Iterator[tuple[int, int, int]]:
    start = 0
    for at in range(1, len(numbers) + 1):
        if at == len(numbers) or numbers[at] != numbers[start]:
            yield numbers[start], start, at
            start = at


class LoudnessDetector:
    """Takes what is loud for speech."""

    def open(self) -> LoudnessDetector:
        """Begins a track."""
        return self

    def feed(self, samples: Samples) -> Heard:
        """Finds loud frames."""
        frames = np.abs(samples.reshape(-1, FRAME_SAMPLES).astype(np.int32)).mean(axis=1)
        return Heard((frames > _LOUD).astype(float).tolist(), [False] * len(frames))


_CAPABILITIES = Capabilities(
    language_codes=("en",), word_times=True, hotwords=True, decoding_options=True
)


async def _nothing(_: Effort) -> None:
    return


@dataclass(kw_only=True)
class InstantEngine:
    """Reads tones, live and in recordings.

    Attributes:
        hook: Runs before each live reading; may wait or raise.
        readings: The live readings that were begun.
        dropped: How many of them were not wanted any more while they waited or ran.
        utterances: The utterances that somebody still has.
        hangs_at: A word with which a reading never returns; empty for none.
        hangs_once: Where it is noted that one hung, so that no other does; None where all do.
    """

    hook: Callable[[Effort], Awaitable[None]] = _nothing
    readings: list[Effort] = field(default_factory=list)
    dropped: int = 0
    utterances: WeakSet[Any] = field(default_factory=WeakSet)
    hangs_at: str = ""
    hangs_once: Path | None = None
    description: str = "Reads tones as words."
    capabilities: Capabilities = _CAPABILITIES
    vram_bytes: int = 0
    weights: None = None

    def live(self) -> InstantEngine:
        """Reads live speech as well."""
        return self

    def open(self, options: RecognizeOptions) -> _Utterance:
        """Begins an utterance."""
        utterance = _Utterance(self, options)
        self.utterances.add(utterance)
        return utterance

    async def hang(self, words: Sequence[RecognizedWord]) -> None:
        """Never returns, where it is to hang with these words; nor does the thread that it uses."""
        if not any(word.text == self.hangs_at for word in words):
            return
        if self.hangs_once is not None:
            try:
                self.hangs_once.touch(exist_ok=False)
            except FileExistsError:
                return
        await asyncio.to_thread(threading.Event().wait)

    def version(self, options: RecognizeOptions) -> common.EngineVersion:
        """Names the engine."""
        version = common.EngineVersion(engine="instant", library="none 1.0", device="cpu")
        version.parameters["hotwords"] = json.dumps(options.hotwords)
        return version

    async def recognize(
        self, speech: Speech, options: RecognizeOptions
    ) -> AsyncGenerator[RecognizedSegment, None]:
        """Reads a chunk as one segment."""
        words = read_words(speech.samples)
        if words:
            yield RecognizedSegment(
                text=" ".join(word.text for word in words),
                start=words[0].start,
                end=words[-1].end,
                language="en",
                words=words if options.word_times else (),
                confidence=0.9,
            )


@dataclass(frozen=True, eq=False)
class _Utterance:
    engine: InstantEngine
    options: RecognizeOptions

    async def read(self, samples: Samples, effort: Effort) -> LiveReading:
        self.engine.readings.append(effort)
        await self.engine.hook(effort)
        words = read_words(samples)
        await self.engine.hang(words)
        with_times = self.options.word_times and effort is not Effort.PARTIAL
        return LiveReading(
            text=" ".join(word.text for word in words),
            language="en",
            words=words if with_times else (),
            confidence=0.9 if words else None,
        )

    def drop(self) -> None:
        self.engine.dropped += 1


@asynccontextmanager
async def instant_stage(
    settings: AsrSettings, engine: InstantEngine | None = None
) -> AsyncIterator[TranscribeStage]:
    """An ASR stage, which needs no model."""
    reader = engine or InstantEngine()
    with ThreadPoolExecutor(settings.slots, "asr-source") as executor:
        async with open_live(settings, reader, LoudnessDetector()) as live:
            yield TranscribeStage(reader, settings, executor, live)


def main() -> None:
    """Serves until SIGTERM."""
    settings = load_settings(AsrSettings)
    once = os.environ.get("HANGS_ONCE")
    engine = InstantEngine(
        hangs_at=os.environ.get("HANGS_AT", ""), hangs_once=Path(once) if once else None
    )
    run_service("asr", settings, lambda _: instant_stage(settings, engine))


if __name__ == "__main__":
    main()
