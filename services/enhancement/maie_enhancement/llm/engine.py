"""Enhancement by any language model."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace

from maie.common.v1 import types_pb2 as common
from maie_enhancement.engine import Piece, Segment
from maie_enhancement.guard import word_change, words_of
from maie_enhancement.llm import prompt
from maie_enhancement.llm.order import in_order
from maie_enhancement.llm.seams import Seams
from maie_enhancement.llm.stretch import Portion, Stretch, halves, portions_of, words_in
from maie_enhancement.settings import EnhancementSettings
from maie_llm import Completion, Generation, LanguageModel, Prompt
from maie_runtime.errors import Code, StageError, invalid
from maie_runtime.loadable import Loadable
from maie_runtime.reasons import Reason
from maie_runtime.stage import unheard

# Marks and capitals take tokens of their own: an answer may be so much longer than what was said.
GROWTH = 1.5
SPARE_TOKENS = 16
# The smallest room for words and answer in which work is worth a call.
LEAST_TOKENS = 64
# An answer so much longer than what was said is no answer; a model that repeats itself is stopped.
RUNAWAY_GROWTH = 3
RUNAWAY_CHARACTERS = 200
# How often a stretch whose answer was cut off is asked for in halves. A model that goes on and on
# does so for any length.
MAX_HALVINGS = 4


@dataclass(kw_only=True, frozen=True, slots=True)
class Written:
    """What became of a portion.

    Attributes:
        portion: The portion.
        text: What may be its clean text, or None where there is none to be had.
    """

    portion: Portion
    text: str | None = None


class LanguageModelEngine:
    """Asks a model for the same words with punctuation, and keeps what was said where it fails.

    Args:
        model: The model.
        settings: How much is asked at once, and how much may change.
    """

    language_codes = ()

    def __init__(self, model: LanguageModel, settings: EnhancementSettings) -> None:
        self.description = f"{model.description}; words stay as they were said."
        self.max_word_change = settings.max_word_change
        self._model = model
        self._settings = settings

    @property
    def weights(self) -> Loadable | None:
        """The model, where it can be unloaded."""
        return self._model.weights

    def version(self, generation: Generation) -> common.EngineVersion:
        """The model with its generation, and what is asked of it."""
        version = self._model.version(generation)
        own = {
            "prompt_sha256": hashlib.sha256(prompt.SYSTEM.encode()).hexdigest(),
            "stretch_tokens": self._settings.stretch_tokens,
            "max_word_change": self._settings.max_word_change,
        }
        version.parameters.update({name: json.dumps(value) for name, value in own.items()})
        return version

    async def enhance(
        self,
        segments: Sequence[Segment],
        language_code: str,
        generation: Generation,
        alive: Callable[[], None] = unheard,
    ) -> AsyncGenerator[Piece, None]:
        """Writes the clean text of each segment, in order, each at once.

        Raises:
            StageError: FAILED_PRECONDITION with WINDOW_TOO_SMALL, or
                INVALID_ARGUMENT with OPTION_OUT_OF_RANGE, where there is no
                room for any words; what the model raises.
        """
        call = _Call(self._model, generation, self._settings, alive)
        await call.prepare()
        told = 0
        async with aclosing(self._texts(segments, call)) as texts:
            async for segment, text in texts:
                for silent in range(told, segment):
                    yield Piece(segment=silent, text=segments[silent].text)
                kept = text is None
                yield Piece(segment=segment, text=text or segments[segment].text, kept=kept)
                told = segment + 1
        for silent in range(told, len(segments)):
            yield Piece(segment=silent, text=segments[silent].text)

    async def _texts(
        self, segments: Sequence[Segment], call: _Call
    ) -> AsyncGenerator[tuple[int, str | None], None]:
        """The clean text of each segment with words in it; None where the raw one is to stay."""
        portions = tuple(portions_of(segments))
        stretches = [stretch async for stretch in call.fitting(portions)] if portions else []
        written = in_order([call.write(each) for each in stretches], self._settings.calls_at_once)
        texts: list[str | None] = []
        async with aclosing(written):
            async for each in written:
                texts.append(each.text)
                if each.portion.last:
                    segment = each.portion.segment
                    yield segment, self._clean(segments[segment].text, texts)
                    texts = []

    def _clean(self, raw: str, texts: Sequence[str | None]) -> str | None:
        """The clean text of a segment, or None where its words would change."""
        found = [text for text in texts if text is not None]
        clean = " ".join(filter(None, found))
        change = word_change(words_of(raw), words_of(clean))
        return clean if len(found) == len(texts) and change <= self.max_word_change else None


class _Call:
    """What one request asks of the model.

    Args:
        model: The model.
        generation: What the request sets.
        settings: How much is asked at once.
        alive: Called at each sign of life of the model.
    """

    def __init__(
        self,
        model: LanguageModel,
        generation: Generation,
        settings: EnhancementSettings,
        alive: Callable[[], None],
    ) -> None:
        self._model = model
        self._generation = generation
        self._most = settings.stretch_tokens
        self._alive = alive
        self._overhead = 0
        parameters = model.version(generation).parameters
        self._max_tokens: int | None = json.loads(parameters.get("max_tokens", "null"))

    async def prepare(self) -> None:
        """Measures the prompt without words.

        Raises:
            StageError: No words have room beside it.
        """
        self._overhead = await self._model.count(prompt.messages([]))
        if self._max_tokens is not None and self._max_tokens < LEAST_TOKENS:
            raise invalid(
                Reason.OPTION_OUT_OF_RANGE,
                f"No text can be enhanced by answers of at most {self._max_tokens} tokens; "
                f"set `max_tokens` to {LEAST_TOKENS} or more, or leave it out.",
                field="generation.max_tokens",
            )
        if self._model.window < self._overhead + LEAST_TOKENS:
            raise StageError(
                Code.FAILED_PRECONDITION,
                Reason.WINDOW_TOO_SMALL,
                f"The language model's window of {self._model.window} tokens is too small to "
                f"enhance with; use a window of {self._overhead + LEAST_TOKENS} or more.",
            )

    async def fitting(self, stretch: Stretch) -> AsyncIterator[Stretch]:
        """A stretch in pieces that the model has room for; a single word is one in any case."""
        if await self._fits(stretch) or (parts := halves(stretch)) is None:
            yield stretch
            return
        for part in parts:
            async for fitting in self.fitting(part):
                yield fitting

    async def write(self, stretch: Stretch, halved: int = 0) -> AsyncGenerator[Written, None]:
        """What becomes of the portions of a stretch, in order."""
        seams = Seams([portion.letters for portion in stretch])
        cut_off = False
        async with aclosing(self._answer(stretch)) as answer:
            async for bit in answer:
                if isinstance(bit, Completion):
                    cut_off = bit.finish == "length"
                    continue
                at = seams.done
                for portion, text in zip(stretch[at:], seams.add(bit), strict=False):
                    yield Written(portion=portion, text=text)
        rest = stretch[seams.done :]
        if not cut_off:
            for portion, text in zip(rest, seams.finish(), strict=True):
                yield Written(portion=portion, text=text)
            return
        parts = halves(rest) if halved < MAX_HALVINGS else None
        if parts is None:
            for portion in rest:
                yield Written(portion=portion)
            return
        for part in parts:
            async with aclosing(self.write(part, halved + 1)) as written:
                async for each in written:
                    yield each

    async def _answer(self, stretch: Stretch) -> AsyncGenerator[str | Completion, None]:
        """The answer; none where the model refuses, and cut off where there is no room for it."""
        messages = prompt.messages(words_in(stretch))
        generation = self._generation
        if self._max_tokens is not None:
            left = self._model.window - await self._model.count(messages)
            generation = replace(generation, max_tokens=max(min(self._max_tokens, left), 1))
        asked = Prompt(messages=messages, generation=generation, alive=self._alive)
        most = RUNAWAY_GROWTH * sum(map(len, words_in(stretch))) + RUNAWAY_CHARACTERS
        try:
            async with aclosing(self._model.generate(asked)) as answer:
                async for bit in answer:
                    yield bit
                    most -= len(bit) if isinstance(bit, str) else 0
                    if most < 0:
                        return
        except StageError as error:
            if error.reason == Reason.PROMPT_TOO_LONG:
                yield Completion(finish="length", prompt_tokens=0, tokens=0)
            elif error.reason != Reason.CONTENT_REFUSED:
                raise

    async def _fits(self, stretch: Stretch) -> bool:
        tokens = await self._model.count(prompt.messages(words_in(stretch)))
        text = tokens - self._overhead
        answer = math.ceil(GROWTH * text) + SPARE_TOKENS
        room = self._model.window - tokens
        if self._max_tokens is not None:
            room = min(room, self._max_tokens)
        return text <= self._most and answer <= room
