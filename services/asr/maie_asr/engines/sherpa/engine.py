"""The engine `sherpa`."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import AsyncGenerator, AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

from maie.common.v1 import types_pb2 as common
from maie_asr.engine import (
    SAMPLE_RATE,
    Capabilities,
    RecognizedSegment,
    RecognizeOptions,
    Speech,
)
from maie_asr.engines.sherpa.languages import is_multilingual, language_codes
from maie_asr.engines.sherpa.live import SherpaLive
from maie_asr.engines.sherpa.model import (
    Model,
    describe,
    find_model,
    require_package,
    verify_model,
)
from maie_asr.engines.sherpa.reader import Reader
from maie_asr.engines.sherpa.recognizer import Call, modeling_unit, recognizer_call
from maie_asr.engines.sherpa.segments import segments
from maie_asr.engines.sherpa.trial import try_model
from maie_asr.engines.sherpa.vocabulary import Vocabulary, read_vocabulary
from maie_asr.engines.sherpa.windows import windows
from maie_asr.settings import AsrSettings, SherpaSettings
from maie_core.errors import Code, StageError
from maie_core.reasons import Reason
from maie_runtime.worker.cores import share, usable_cores

BEAMS = "modified_beam_search"
# More threads gain little for one recognition.
MAX_AUTO_THREADS = 4


class SherpaEngine:
    """Reads chunks window by window, and live speech where the model is a streaming one.

    Args:
        reader: The model.
        capabilities: What it can do.
        settings: The engine's settings.
        executor: The threads in which the model is used.
        version: The software and the model, with its parameters.
        live: Reads live speech; None for a model that reads audio as a whole.
    """

    description = "A model of sherpa-onnx, such as Parakeet, Zipformer or SenseVoice."
    vram_bytes = 0
    weights = None

    def __init__(
        self,
        reader: Reader,
        capabilities: Capabilities,
        settings: SherpaSettings,
        executor: ThreadPoolExecutor,
        version: common.EngineVersion,
        live: SherpaLive | None,
    ) -> None:
        self._reader = reader
        self.capabilities = capabilities
        self._longest = round(settings.window_seconds * SAMPLE_RATE)
        self._longest_pause = round(settings.max_pause_seconds * SAMPLE_RATE)
        self._executor = executor
        self._version = version
        self._live = live

    def live(self) -> SherpaLive | None:
        """The engine for live speech, in the same memory."""
        return self._live

    def version(self, options: RecognizeOptions) -> common.EngineVersion:
        """The same for all options."""
        return self._version

    async def recognize(
        self, speech: Speech, options: RecognizeOptions
    ) -> AsyncGenerator[RecognizedSegment, None]:
        """Yields the segments of each window after it is read.

        Closing the iteration returns at once; the thread finishes the current window.

        Raises:
            StageError: INVALID_ARGUMENT with LANGUAGE_NOT_SUPPORTED if the model needs a language.
        """
        loop = asyncio.get_running_loop()
        parts = windows(speech.samples, speech.ranges, self._longest, self._longest_pause)
        for window in parts:
            samples = speech.samples[window[0].start : window[-1].end]
            reading = await loop.run_in_executor(
                self._executor, self._reader.read, samples, options
            )
            words = self._reader.words(reading, len(samples) / SAMPLE_RATE)
            language = self._reader.language(reading, options)
            for each in segments(
                reading.text, words, window, language, word_times=options.word_times
            ):
                yield each


@asynccontextmanager
async def create(settings: AsrSettings) -> AsyncIterator[SherpaEngine]:
    """Verifies, tries and loads the model.

    Raises:
        StageError: FAILED_PRECONDITION with ENGINE_NOT_INSTALLED, MODEL_MISSING, MODEL_CORRUPT or
            MODEL_SETTINGS_INVALID.
    """
    require_package()
    chosen = settings.sherpa
    model = await asyncio.to_thread(find_model, chosen)
    _check_search(model, chosen)
    codes = language_codes(model, chosen)
    lanes = 1 if model.family.exclusive else settings.slots
    with (
        ThreadPoolExecutor(lanes, "sherpa") as executor,
        # Of its own: live speech does not wait for windows of recordings.
        ThreadPoolExecutor(settings.live.worker_count, "sherpa-live") as live,
    ):
        in_thread = partial(asyncio.get_running_loop().run_in_executor, executor)
        sha256 = await in_thread(verify_model, model, chosen)
        vocabulary = await in_thread(_vocabulary, model)
        call = recognizer_call(model, chosen, cpu_threads(chosen, lanes))
        await try_model(call, str(model.path))
        recognizer = await in_thread(call.make)
        takes_hotwords = _takes_hotwords(model, chosen)
        reader = Reader(model, recognizer, vocabulary, takes_hotwords, codes)
        yield SherpaEngine(
            reader,
            _capabilities(model, reader, vocabulary, takes_hotwords, codes),
            chosen,
            executor,
            _version(model, chosen, sha256, call),
            SherpaLive(reader, live) if model.family.streaming else None,
        )


def cpu_threads(settings: SherpaSettings, lanes: int) -> int:
    """The threads of one recognition; the environment's OMP_NUM_THREADS where it is not set.

    Args:
        settings: The engine's settings.
        lanes: The concurrent recognitions.
    """
    set_outside = int(os.environ.get("OMP_NUM_THREADS") or 0)
    return settings.cpu_threads or set_outside or share(usable_cores(), lanes, MAX_AUTO_THREADS)


def _check_search(model: Model, settings: SherpaSettings) -> None:
    if settings.decoding_method == BEAMS and not model.family.beams:
        raise StageError(
            Code.FAILED_PRECONDITION,
            Reason.MODEL_SETTINGS_INVALID,
            f"A model of the family {model.family.name} is decoded by greedy_search alone; "
            "correct MAIE_ASR_SHERPA_DECODING_METHOD.",
        )


def _takes_hotwords(model: Model, settings: SherpaSettings) -> bool:
    if model.family.name == "qwen3-asr":
        return True
    return settings.decoding_method == BEAMS and bool(modeling_unit(model, settings))


def _vocabulary(model: Model) -> Vocabulary | None:
    """What the tokens say; None where they are written in another way."""
    family = model.family
    if family.punctuates is not None and not family.word_times:
        return None
    return read_vocabulary(model.files["tokens"])


def _capabilities(
    model: Model,
    reader: Reader,
    vocabulary: Vocabulary | None,
    takes_hotwords: bool,
    codes: tuple[str, ...],
) -> Capabilities:
    family = model.family
    punctuates = family.punctuates
    if punctuates is None:
        punctuates = vocabulary is not None and vocabulary.punctuates
    return Capabilities(
        language_codes=codes,
        punctuates=punctuates,
        word_times=reader.word_times,
        hotwords=takes_hotwords,
        detects_language=family.detects_language and len(codes) > 1,
        translates=family.name == "canary" or (family.name == "whisper" and is_multilingual(model)),
    )


def _version(
    model: Model, settings: SherpaSettings, sha256: str, call: Call
) -> common.EngineVersion:
    """The software and the model, with all that it is read with but the paths of its files."""
    version = describe(model, settings, sha256)
    parameters: dict[str, Any] = {
        name: value
        for name, value in call.arguments.items()
        if name not in model.files and name != "bpe_vocab"
    }
    parameters |= {
        "family": model.family.name,
        "files": sorted(path.name for path in model.files.values()),
        "window_seconds": settings.window_seconds,
        "max_pause_seconds": settings.max_pause_seconds,
    }
    for name, value in parameters.items():
        version.parameters[name] = json.dumps(value)
    return version
