"""The engine `whisper`."""

from __future__ import annotations

import asyncio
import json
import math
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import (
    AbstractContextManager,
    ExitStack,
    asynccontextmanager,
    closing,
    nullcontext,
)
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from faster_whisper import BatchedInferencePipeline, WhisperModel
from faster_whisper.transcribe import Segment, Word, restore_speech_timestamps
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from maie.common.v1 import types_pb2 as common
from maie_asr.engine import (
    SAMPLE_RATE,
    Capabilities,
    RecognizedSegment,
    RecognizedWord,
    RecognizeOptions,
    Speech,
)
from maie_asr.engines.whisper.arguments import pause_rules, transcribe_arguments, without_vad
from maie_asr.engines.whisper.live import WhisperLive
from maie_asr.engines.whisper.model import (
    batch_calls,
    cross_batch_size,
    describe,
    find_model,
    is_distilled,
    lends_to_live,
    load_model,
    model_files,
    recording_workers,
    verify_model,
)
from maie_asr.engines.whisper.pauses import join, kept_parts, windows
from maie_asr.engines.whisper.weights import WhisperWeights
from maie_asr.settings import AsrSettings, WhisperSettings
from maie_runtime.worker.stage import Batching, batching_of

Reading = Callable[[], AbstractContextManager[None]]


class WhisperEngine:
    """Transcribes a chunk in windows of 30 s.

    With `vad_filter`, long pauses are cut out first, by the chunk's speech
    ranges; if a request or a setting names a threshold, faster-whisper's own
    VAD finds the pauses.

    Args:
        model: The model.
        path: The model's directory.
        settings: The engine's settings.
        executor: Where the model runs, one thread for each recognition.
        reading: Entered by a thread while it uses the model.
        weights: The model's weights.
        version: The software and the model, without parameters.
        live: Reads live speech with the same model; None where it has another.
    """

    description = "OpenAI Whisper by faster-whisper: many languages, punctuation and casing."

    def __init__(
        self,
        model: WhisperModel,
        path: Path,
        settings: WhisperSettings,
        executor: ThreadPoolExecutor,
        reading: Reading,
        weights: WhisperWeights,
        version: common.EngineVersion,
        live: WhisperLive | None = None,
    ) -> None:
        self._model = model
        self._live = live
        self._executor = executor
        self._reading = reading
        self.weights = weights
        self._version = version
        self._settings = settings
        self._distilled = is_distilled(path, settings)
        self.capabilities = Capabilities(
            language_codes=tuple(model.supported_languages),
            punctuates=True,
            word_times=True,
            hotwords=True,
            detects_language=model.model.is_multilingual,
            translates=model.model.is_multilingual,
            decoding_options=True,
        )
        # The weights; activations come on top.
        on_gpu = settings.device == "cuda"
        self.vram_bytes = (path / "model.bin").stat().st_size if on_gpu else 0

    @property
    def network(self) -> Any:
        """The network that decodes the windows."""
        return self._model.model

    @property
    def batching(self) -> Batching:
        """The batches of several requests' windows."""
        return batching_of(self.network)

    def live(self) -> WhisperLive | None:
        """Reads live speech; None where that has a model of its own."""
        return self._live

    def version(self, options: RecognizeOptions) -> common.EngineVersion:
        """The model with every decoding parameter."""
        version = common.EngineVersion()
        version.CopyFrom(self._version)
        arguments = self._arguments(options)
        # The batch size changes the last bits of each row, and sampling is random anyway.
        alone = cross_batch_size(self._settings) == 1
        reproducible = alone and not any(arguments["temperature"])
        for name, value in {**arguments, "reproducible": reproducible}.items():
            version.parameters[name] = json.dumps(value)
        return version

    async def recognize(
        self, speech: Speech, options: RecognizeOptions
    ) -> AsyncGenerator[RecognizedSegment, None]:
        """Yields segments as the model finds them.

        Closing the iteration returns at once; the thread finishes the current
        window and drops its result.
        """
        loop = asyncio.get_running_loop()
        found, language = await loop.run_in_executor(
            self._executor, self._start, speech, self._arguments(options)
        )
        while segment := await loop.run_in_executor(self._executor, self._next, found):
            yield _segment(segment, language, speech.seconds)

    def _arguments(self, options: RecognizeOptions) -> dict[str, Any]:
        return transcribe_arguments(self._settings, options, distilled=self._distilled)

    def _start(self, speech: Speech, arguments: dict[str, Any]) -> tuple[Iterator[Segment], str]:
        audio: NDArray[np.float32] = np.divide(speech.samples, 32768, dtype=np.float32)
        rules = pause_rules(arguments)
        if rules is None:
            return self._transcribe(audio, arguments)
        arguments = without_vad(arguments)
        if "batch_size" in arguments:
            arguments["clip_timestamps"] = [
                {"start": each.start / SAMPLE_RATE, "end": each.end / SAMPLE_RATE}
                for each in windows(speech.ranges)
            ]
            return self._transcribe(audio, arguments)
        parts = kept_parts(speech.ranges, len(audio), rules)
        if not parts:
            return iter(()), ""
        segments, language = self._transcribe(join(audio, parts), arguments)
        chunks = [{"start": part.start, "end": part.end} for part in parts]
        return iter(restore_speech_timestamps(segments, chunks, SAMPLE_RATE)), language

    def _transcribe(
        self, audio: NDArray[np.float32], arguments: dict[str, Any]
    ) -> tuple[Iterator[Segment], str]:
        # The pipeline is stateful, so each recognition has its own.
        batched = "batch_size" in arguments
        reader = BatchedInferencePipeline(self._model) if batched else self._model
        with self.weights.reading(), self._reading():
            segments, info = reader.transcribe(audio, **arguments)
        return iter(segments), info.language

    def _next(self, found: Iterator[Segment]) -> Segment | None:
        with self.weights.reading(), self._reading():
            return next(found, None)


@asynccontextmanager
async def create(settings: AsrSettings) -> AsyncIterator[WhisperEngine]:
    """Verifies and loads the model.

    Raises:
        StageError: FAILED_PRECONDITION with MODEL_MISSING, MODEL_CORRUPT,
            DEVICE_UNAVAILABLE or COMPUTE_TYPE_NOT_SUPPORTED.
    """
    whisper = settings.whisper
    path = find_model(whisper, settings.mesh.models_dir)
    loop = asyncio.get_running_loop()
    together = cross_batch_size(whisper)
    live_workers = settings.live.worker_count if lends_to_live(settings) else 0
    workers = recording_workers(settings)
    with ExitStack() as stack:
        # Spectra are small products, and each would make OpenBLAS's threads spin for a while, which
        # costs live speech a third of a core.
        stack.enter_context(threadpool_limits(1, user_api="blas"))
        executor = stack.enter_context(ThreadPoolExecutor(max(settings.slots, together), "whisper"))
        sha256 = await loop.run_in_executor(executor, verify_model, path, whisper)
        load = partial(load_model, path, whisper, workers, live_workers)
        model = await loop.run_in_executor(executor, load)
        version = describe(path, whisper, model, sha256)
        weights = WhisperWeights(model.model, model_files(path), executor)
        reading: Reading = nullcontext
        if together > 1:
            reading = stack.enter_context(closing(batch_calls(model, whisper))).reading
        live = None
        if live_workers:
            threads = stack.enter_context(ThreadPoolExecutor(live_workers, "whisper-live"))
            live = WhisperLive(model, whisper, settings.live, threads, weights, reading)
        yield WhisperEngine(model, path, whisper, executor, reading, weights, version, live)


def _segment(segment: Segment, language: str, seconds: float) -> RecognizedSegment:
    words = [_word(word, seconds) for word in segment.words or ()]
    return RecognizedSegment(
        text=segment.text.strip(),
        start=_within(segment.start, seconds),
        end=_within(segment.end, seconds),
        language=language,
        words=tuple(word for word in words if word.text),
        confidence=_confidence(segment),
    )


def _confidence(segment: Segment) -> float:
    """The mean probability of the words or, without words, of the window's tokens."""
    if segment.words:
        probabilities = [word.probability for word in segment.words]
        return _probability(sum(probabilities) / len(probabilities))
    return _probability(math.exp(segment.avg_logprob))


def _probability(value: float) -> float:
    return min(max(float(value), 0.0), 1.0)


def _word(word: Word, seconds: float) -> RecognizedWord:
    return RecognizedWord(
        text=word.word.strip(),
        start=_within(word.start, seconds),
        end=_within(word.end, seconds),
        confidence=_probability(word.probability),
    )


def _within(time: float, seconds: float) -> float:
    """Clips a time to the audio; the model's windows may end after it."""
    return min(max(float(time), 0.0), seconds)
