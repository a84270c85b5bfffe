"""The engine `embedded`."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager
from datetime import timedelta
from math import exp
from pathlib import Path

from maie.common.v1 import types_pb2 as common
from maie_alignment.engine import AlignedWord, Filler, Phone, Samples
from maie_alignment.engines.embedded.decoder import (
    ACOUSTIC_MODEL,
    MODEL_FILES,
    SpokenPhone,
    SpokenWord,
    boundary,
    library_version,
    packaged_model,
)
from maie_alignment.engines.embedded.pool import AlignerPool
from maie_alignment.engines.embedded.process import AlignerDiedError, ModelUnreadableError
from maie_alignment.engines.english import letters_of, spelling
from maie_alignment.settings import AlignmentSettings, EmbeddedSettings
from maie_core.errors import Code, StageError
from maie_core.models import model_corrupt, model_missing, verified_sha256
from maie_core.reasons import Reason

RETRY_AFTER = timedelta(seconds=1)
# The log likelihood of a frame less that of the best sound, in the library's units, at which a word
# is as likely another one, and how quickly it becomes likelier. docs/reading.md has the figures.
EVEN_SCORE = -40.0
SCORE_SCALE = 6.0
# Beyond it the score is 0 in any case.
MAX_EXPONENT = 50.0


class EmbeddedEngine:
    """Aligns English by pocketsphinx.

    Args:
        pool: The aligners.
        version: The software and the model.
    """

    description = "CMU PocketSphinx in two passes, words and then phones; English, without GPU."
    language_codes: tuple[str, ...] = ("en",)
    # The second pass keeps a table of frames by states, which takes 25 MB for such a length.
    max_seconds = 40.0
    vram_bytes = 0
    weights = None

    def __init__(self, pool: AlignerPool, version: common.EngineVersion) -> None:
        self._pool = pool
        self.version = version

    async def align(self, samples: Samples, words: Sequence[str]) -> list[AlignedWord]:
        """Finds the words.

        Raises:
            StageError: UNAVAILABLE with DECODER_DIED.
        """
        spoken = [(word, spelt) for word in words if (spelt := spelling(word))]
        if not spoken:
            return []
        with _reported():
            found = await self._pool.align(samples.tobytes(), [spelt for _, spelt in spoken])
        return [
            _aligned(word, spelt, each)
            for (word, spelt), each in zip(spoken, found or [], strict=False)
        ]

    async def fillers(self, samples: Samples, words: Sequence[str]) -> list[Filler]:
        """Finds fillers; see `FillerEngine.fillers`.

        Raises:
            StageError: UNAVAILABLE with DECODER_DIED.
        """
        spoken = [(place, spelt) for place, word in enumerate(words) if (spelt := spelling(word))]
        if not spoken:
            return []
        with _reported():
            found = await self._pool.fillers(samples.tobytes(), [spelt for _, spelt in spoken])
        places = [*(place for place, _ in spoken), len(words)]
        return [Filler(place=places[each.place], text=each.word) for each in found or []]


@contextmanager
def _reported() -> Iterator[None]:
    """Reports the death of an aligner as the stage does.

    Raises:
        StageError: UNAVAILABLE with DECODER_DIED.
    """
    try:
        yield
    except AlignerDiedError as error:
        raise StageError(
            Code.UNAVAILABLE,
            Reason.DECODER_DIED,
            "The aligner ended unexpectedly and was replaced; try again.",
            retry_after=RETRY_AFTER,
        ) from error


@asynccontextmanager
async def create(settings: AlignmentSettings) -> AsyncIterator[EmbeddedEngine]:
    """Starts the aligners, one for each slot.

    Raises:
        StageError: FAILED_PRECONDITION with MODEL_MISSING or MODEL_CORRUPT.
    """
    model = settings.embedded.model_path or packaged_model()
    _check_files(model)
    with ThreadPoolExecutor(settings.slots, "aligner") as executor:
        sha256 = verified_sha256(
            model,
            MODEL_FILES,
            settings.embedded.sha256,
            needs_proof=settings.embedded.model_path is not None,
        )
        pool = AlignerPool(model, executor)
        try:
            try:
                await pool.start(settings.slots)
            except (ModelUnreadableError, AlignerDiedError) as error:
                raise model_corrupt(
                    f"pocketsphinx cannot read its model in {model}: {error or 'it crashed'}; "
                    "install the package pocketsphinx again, or correct the model's path."
                ) from error
            yield EmbeddedEngine(pool, _version(settings.embedded, sha256))
        finally:
            pool.stop()


def _check_files(model: Path) -> None:
    missing = [name for name in MODEL_FILES if not (model / name).is_file()]
    if missing:
        raise model_missing(
            f"The pocketsphinx model in {model} lacks {', '.join(missing)}; install the package "
            "pocketsphinx again, or correct MAIE_ALIGNMENT_EMBEDDED_MODEL_PATH."
        )


def _version(settings: EmbeddedSettings, sha256: str) -> common.EngineVersion:
    return common.EngineVersion(
        engine="embedded",
        library=library_version(),
        model_name=ACOUSTIC_MODEL,
        model_path=str(settings.model_path or ""),
        checkpoint_sha256=sha256,
        device="cpu",
    )


def _aligned(word: str, spelt: str, found: SpokenWord) -> AlignedWord:
    phones = tuple(
        Phone(
            symbol=each.name,
            start=boundary(each.start),
            end=boundary(each.start + each.frames),
            score=_score([each]),
        )
        for each in found.phones
    )
    return AlignedWord(
        text=word,
        start=phones[0].start,
        end=phones[-1].end,
        score=_score(found.phones),
        in_dictionary=found.known,
        phones=phones,
        letters=letters_of(spelt, phones),
    )


def _score(phones: Sequence[SpokenPhone]) -> float:
    """How likely the sounds are, by the mean of their frames; 0 to 1."""
    frames = sum(each.frames for each in phones)
    mean = sum(each.score for each in phones) / max(1, frames)
    return 1 / (1 + exp(min(MAX_EXPONENT, (EVEN_SCORE - mean) / SCORE_SCALE)))
