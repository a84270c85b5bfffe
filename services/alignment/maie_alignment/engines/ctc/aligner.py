"""Finds words in what a CTC model says of audio."""

from __future__ import annotations

import asyncio
import weakref
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import Executor
from functools import partial
from typing import Final

import numpy as np
from numpy.typing import NDArray

from maie_alignment.engine import SAMPLE_RATE, AlignedWord, Samples
from maie_alignment.engines.ctc.audio import FRAME_SAMPLES, Waveform, waveform
from maie_alignment.engines.ctc.folder import CtcFolder
from maie_alignment.engines.ctc.trellis import Levels
from maie_alignment.engines.ctc.vocabulary import Spelling
from maie_alignment.engines.ctc.words import find_words
from maie_core.errors import Code, StageError
from maie_core.reasons import Reason

Hear = Callable[[Waveform], Awaitable[NDArray[np.float32]]]
"""Runs a model on audio; gives its logits or log probabilities, of shape (frames, columns)."""

# Networks of this kind take 25 ms for a frame.
MIN_SAMPLES: Final = SAMPLE_RATE // 20
# Networks begin and end a window earlier or later than the audio.
_SPARE_FRAMES: Final = 3


class CtcAligner:
    """Finds words by a model.

    What the model says of audio is kept as long as the audio itself, since a reading aligns several
    texts with the same.

    Args:
        hear: Runs the model.
        folder: What is known of the model.
        executor: Where words are searched.
    """

    def __init__(self, hear: Hear, folder: CtcFolder, executor: Executor) -> None:
        self._hear = hear
        self._folder = folder
        self._executor = executor
        self._heard: dict[int, tuple[weakref.ref[Samples], Levels]] = {}

    async def align(self, samples: Samples, words: Sequence[str]) -> list[AlignedWord]:
        """Finds the words; see `Engine.align`.

        Raises:
            StageError: INTERNAL with MODEL_ANSWER_INVALID; others as the model raises them.
        """
        loop = asyncio.get_running_loop()
        spelled = await loop.run_in_executor(self._executor, self._spell, words)
        if not spelled or len(samples) < MIN_SAMPLES:
            return []
        levels = await self._levels(samples)
        length = len(samples) / SAMPLE_RATE
        search = partial(find_words, levels, spelled, self._folder.vocabulary, length)
        return await loop.run_in_executor(self._executor, search)

    def _spell(self, words: Sequence[str]) -> list[Spelling]:
        return [found for word in words if (found := self._folder.vocabulary.spell(word))]

    async def _levels(self, samples: Samples) -> Levels:
        key = id(samples)
        known = self._heard.get(key)
        if known and known[0]() is samples:
            return known[1]
        run = partial(asyncio.get_running_loop().run_in_executor, self._executor)
        audio = await run(partial(waveform, samples, normalise=self._folder.normalise))
        said = await self._hear(audio)
        made = await run(self._checked, said, len(samples))
        # The audio's end may come in any thread.
        forget = weakref.ref(samples, lambda _: self._heard.pop(key, None))
        self._heard[key] = (forget, made)
        return made

    def _checked(self, said: NDArray[np.float32], samples: int) -> Levels:
        made = log_probabilities(said)
        check_answer(made, samples, self._folder.vocabulary.size)
        return made


def log_probabilities(logits: NDArray[np.float32]) -> Levels:
    """What a model says, as logarithms of probabilities that add up to 1."""
    with np.errstate(invalid="ignore"):
        shifted = logits - logits.max(axis=1, keepdims=True, initial=-np.inf)
        made: Levels = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    return made


def check_answer(levels: Levels, samples: int, columns: int) -> None:
    """Refuses what cannot be what a model says of audio.

    Args:
        levels: Log probabilities, of shape (frames, columns).
        samples: The length of the audio.
        columns: The number of the model's symbols.

    Raises:
        StageError: INTERNAL with MODEL_ANSWER_INVALID.
    """
    frames, found = levels.shape
    expected = samples // FRAME_SAMPLES
    if found != columns:
        raise answer_invalid(f"has {found} symbols, and its vocabulary {columns}")
    if abs(frames - expected) > _SPARE_FRAMES:
        raise answer_invalid(f"says {frames} frames of audio that has {expected}")
    if np.isnan(levels).any():
        raise answer_invalid("says what is no number")


def answer_invalid(what: str) -> StageError:
    """The error for an answer of a model that cannot be one.

    Args:
        what: What the model does, such as "has 5 symbols, and its vocabulary 6".
    """
    return StageError(
        Code.INTERNAL,
        Reason.MODEL_ANSWER_INVALID,
        f"The CTC model {what}; check that the model and its vocabulary belong together.",
    )
