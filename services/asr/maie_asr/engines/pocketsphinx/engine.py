"""The engine `pocketsphinx`."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

from maie.common.v1 import types_pb2 as common
from maie_asr.engine import (
    SAMPLE_RATE,
    Capabilities,
    RecognizedSegment,
    RecognizedWord,
    RecognizeOptions,
    Speech,
)
from maie_asr.engines.pocketsphinx.decoder import (
    ACOUSTIC_MODEL,
    MODEL_FILES,
    DecodedWord,
    library_version,
    packaged_model,
)
from maie_asr.engines.pocketsphinx.pool import DecoderPool
from maie_asr.engines.pocketsphinx.process import DecoderDiedError, ModelUnreadableError
from maie_asr.settings import AsrSettings, PocketsphinxSettings
from maie_core.errors import Code, StageError
from maie_core.models import model_corrupt, model_missing, verified_sha256
from maie_core.reasons import Reason

LANGUAGE = "en"
RETRY_AFTER = timedelta(seconds=1)


class PocketsphinxEngine:
    """Transcribes each speech range as one utterance.

    Its words have no confidence: the library's figure does not show whether a
    word is right.

    Args:
        pool: The decoders.
        settings: The engine's settings.
        version: The software and the model, without parameters.
    """

    description = "CMU PocketSphinx, a small recogniser for clear English that needs no GPU."
    capabilities = Capabilities(language_codes=(LANGUAGE,), word_times=True)
    vram_bytes = 0
    weights = None

    def __init__(
        self, pool: DecoderPool, settings: PocketsphinxSettings, version: common.EngineVersion
    ) -> None:
        self._pool = pool
        self._margin = round(settings.margin_seconds * SAMPLE_RATE)
        self._version = version
        self._version.parameters["margin_seconds"] = json.dumps(settings.margin_seconds)

    def version(self, options: RecognizeOptions) -> common.EngineVersion:
        """The same for all options."""
        return self._version

    async def recognize(
        self, speech: Speech, options: RecognizeOptions
    ) -> AsyncGenerator[RecognizedSegment, None]:
        """Yields one segment for each speech range.

        Raises:
            StageError: UNAVAILABLE with DECODER_DIED.
        """
        async with self._pool.decoder() as decode:
            for index in range(len(speech.ranges)):
                start, end = _with_margins(speech, index, self._margin)
                try:
                    words = await decode(speech.samples[start:end].tobytes())
                except DecoderDiedError as error:
                    raise StageError(
                        Code.UNAVAILABLE,
                        Reason.DECODER_DIED,
                        "The speech decoder ended unexpectedly and was replaced; try again.",
                        retry_after=RETRY_AFTER,
                    ) from error
                yield _segment(speech, index, words, start / SAMPLE_RATE, options)


@asynccontextmanager
async def create(settings: AsrSettings) -> AsyncIterator[PocketsphinxEngine]:
    """Starts the decoders, one for each slot.

    Raises:
        StageError: FAILED_PRECONDITION with MODEL_MISSING or MODEL_CORRUPT.
    """
    model = settings.pocketsphinx.model_path or packaged_model()
    _check_files(model)
    with ThreadPoolExecutor(settings.slots, "pocketsphinx") as executor:
        sha256 = verified_sha256(
            model,
            MODEL_FILES,
            settings.pocketsphinx.sha256,
            needs_proof=settings.pocketsphinx.model_path is not None,
        )
        pool = DecoderPool(model, executor)
        try:
            try:
                await pool.start(settings.slots)
            except (ModelUnreadableError, DecoderDiedError) as error:
                raise model_corrupt(
                    f"pocketsphinx cannot read its model in {model}: {error or 'it crashed'}; "
                    "install the package pocketsphinx again, or correct the model's path."
                ) from error
            yield PocketsphinxEngine(pool, settings.pocketsphinx, _version(settings, sha256))
        finally:
            pool.stop()


def _check_files(model: Path) -> None:
    missing = [name for name in MODEL_FILES if not (model / name).is_file()]
    if missing:
        raise model_missing(
            f"The pocketsphinx model in {model} lacks {', '.join(missing)}; install the package "
            "pocketsphinx again, or correct MAIE_ASR_POCKETSPHINX_MODEL_PATH."
        )


def _version(settings: AsrSettings, sha256: str) -> common.EngineVersion:
    path = settings.pocketsphinx.model_path
    return common.EngineVersion(
        engine="pocketsphinx",
        library=library_version(),
        model_name=ACOUSTIC_MODEL,
        model_path=str(path) if path else "",
        checkpoint_sha256=sha256,
        device="cpu",
    )


def _with_margins(speech: Speech, index: int, margin: int) -> tuple[int, int]:
    """A range with some silence around it, at most half of each pause."""
    ranges = speech.ranges
    start, end = ranges[index].start, ranges[index].end
    before = (ranges[index - 1].end + start) // 2 if index else 0
    after = len(speech.samples)
    if index + 1 < len(ranges):
        after = (end + ranges[index + 1].start) // 2
    return max(before, start - margin), min(after, end + margin)


def _segment(
    speech: Speech, index: int, words: list[DecodedWord], offset: float, options: RecognizeOptions
) -> RecognizedSegment:
    timed = tuple(
        RecognizedWord(text=word.text, start=offset + word.start, end=offset + word.end)
        for word in words
    )
    span = speech.ranges[index]
    starts = [span.start / SAMPLE_RATE, *(word.start for word in timed)]
    ends = [span.end / SAMPLE_RATE, *(word.end for word in timed)]
    return RecognizedSegment(
        text=" ".join(word.text for word in words),
        # A word may reach into the margin.
        start=min(starts),
        end=max(ends),
        language=LANGUAGE,
        words=timed if options.word_times else (),
    )
