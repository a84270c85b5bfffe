"""Enhancement by any language model."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace

from maie.common.v1 import types_pb2 as common
from maie_core.errors import Code, StageError, invalid
from maie_core.reasons import Reason
from maie_enhancement.engine import Piece, Segment
from maie_enhancement.guard import word_change, words_of
from maie_enhancement.llm import prompt
from maie_enhancement.llm.order import in_order
from maie_enhancement.llm.prompt_chunk import Portion, PromptChunk, halves, portions_of, words_in
from maie_enhancement.llm.splitter import AnswerSplitter
from maie_enhancement.settings import EnhancementSettings
from maie_llm import Completion, Generation, LanguageModel, Prompt
from maie_runtime.gpu.loadable import Loadable
from maie_runtime.worker.stage import Batching, batching_of, ignore_heartbeat

# The largest ratio of an answer's tokens to those of its words: marks and capitals need tokens.
GROWTH = 1.5
SPARE_TOKENS = 16
# The least tokens for words and answer that are worth a call.
LEAST_TOKENS = 64
# A longer answer is aborted: the model repeats itself.
RUNAWAY_GROWTH = 3
RUNAWAY_CHARACTERS = 200
# How often a prompt chunk is halved after its answer was cut off. A model that repeats itself does
# so for any length.
MAX_HALVINGS = 4


@dataclass(kw_only=True, frozen=True, slots=True)
class Written:
    """The model's text for a portion.

    Attributes:
        portion: The portion.
        text: Its likely clean text, or None without one.
    """

    portion: Portion
    text: str | None = None


class LanguageModelEngine:
    """Asks a model for the same words with punctuation, and keeps the raw text where it fails.

    Args:
        model: The model.
        settings: The size of prompts, and how many words may change.
    """

    language_codes = ()

    def __init__(self, model: LanguageModel, settings: EnhancementSettings) -> None:
        self.description = f"{model.description}; words stay as they were spoken."
        self.max_word_change = settings.max_word_change
        self._model = model
        self._settings = settings

    @property
    def weights(self) -> Loadable | None:
        """The model, if it can be unloaded."""
        return self._model.weights

    @property
    def batching(self) -> Batching:
        """The batches of the model."""
        return batching_of(self._model)

    def version(self, generation: Generation) -> common.EngineVersion:
        """The model with its generation and prompt parameters."""
        version = self._model.version(generation)
        own = {
            "prompt_sha256": hashlib.sha256(prompt.SYSTEM.encode()).hexdigest(),
            "prompt_chunk_tokens": self._settings.prompt_chunk_tokens,
            "max_word_change": self._settings.max_word_change,
        }
        version.parameters.update({name: json.dumps(value) for name, value in own.items()})
        return version

    async def enhance(
        self,
        segments: Sequence[Segment],
        language_code: str,
        generation: Generation,
        heartbeat: Callable[[], None] = ignore_heartbeat,
    ) -> AsyncGenerator[Piece, None]:
        """Yields the clean text of each segment, in order, one piece for each segment.

        Raises:
            StageError: FAILED_PRECONDITION with WINDOW_TOO_SMALL, or
                INVALID_ARGUMENT with OPTION_OUT_OF_RANGE, if there is no
                room for any words; others as the model raises them.
        """
        call = _Call(self._model, generation, self._settings, heartbeat)
        await call.prepare()
        done = 0
        async with aclosing(self._texts(segments, call)) as texts:
            async for segment, text in texts:
                for wordless in range(done, segment):
                    yield Piece(segment=wordless, text=segments[wordless].text)
                kept = text is None
                yield Piece(segment=segment, text=text or segments[segment].text, kept=kept)
                done = segment + 1
        for wordless in range(done, len(segments)):
            yield Piece(segment=wordless, text=segments[wordless].text)

    async def _texts(
        self, segments: Sequence[Segment], call: _Call
    ) -> AsyncGenerator[tuple[int, str | None], None]:
        """The clean text of each segment with words; None to keep the raw one."""
        portions = tuple(portions_of(segments))
        chunks = [chunk async for chunk in call.fitting(portions)] if portions else []
        written = in_order([call.write(each) for each in chunks], self._settings.calls_at_once)
        texts: list[str | None] = []
        async with aclosing(written):
            async for each in written:
                texts.append(each.text)
                if each.portion.last:
                    segment = each.portion.segment
                    yield segment, self._clean(segments[segment].text, texts)
                    texts = []

    def _clean(self, raw: str, texts: Sequence[str | None]) -> str | None:
        """The clean text of a segment, or None if its words would change."""
        found = [text for text in texts if text is not None]
        clean = " ".join(filter(None, found))
        change = word_change(words_of(raw), words_of(clean))
        return clean if len(found) == len(texts) and change <= self.max_word_change else None


class _Call:
    """The calls of the model for one request.

    Args:
        model: The model.
        generation: The request's generation parameters.
        settings: The size of prompts.
        heartbeat: Called at each heartbeat of the model.
    """

    def __init__(
        self,
        model: LanguageModel,
        generation: Generation,
        settings: EnhancementSettings,
        heartbeat: Callable[[], None],
    ) -> None:
        self._model = model
        self._generation = generation
        self._most = settings.prompt_chunk_tokens
        self._heartbeat = heartbeat
        self._overhead = 0
        parameters = model.version(generation).parameters
        self._max_tokens: int | None = json.loads(parameters.get("max_tokens", "null"))

    async def prepare(self) -> None:
        """Measures the prompt without words.

        Raises:
            StageError: There is no room for words.
        """
        self._overhead = await self._model.count(prompt.messages([]))
        if self._max_tokens is not None and self._max_tokens < LEAST_TOKENS:
            raise invalid(
                Reason.OPTION_OUT_OF_RANGE,
                f"No text can be enhanced with answers of at most {self._max_tokens} tokens; "
                f"set `max_tokens` to {LEAST_TOKENS} or more, or leave it out.",
                field="generation.max_tokens",
            )
        if self._model.window < self._overhead + LEAST_TOKENS:
            raise StageError(
                Code.FAILED_PRECONDITION,
                Reason.WINDOW_TOO_SMALL,
                f"The language model's window of {self._model.window} tokens is too small for "
                f"enhancement; use a window of {self._overhead + LEAST_TOKENS} or more.",
            )

    async def fitting(self, chunk: PromptChunk) -> AsyncIterator[PromptChunk]:
        """Splits a chunk until each part fits into the window or is a single word."""
        if await self._fits(chunk) or (parts := halves(chunk)) is None:
            yield chunk
            return
        for part in parts:
            async for fitting in self.fitting(part):
                yield fitting

    async def write(self, chunk: PromptChunk, halved: int = 0) -> AsyncGenerator[Written, None]:
        """Yields the text for each portion of a chunk, in order."""
        splitter = AnswerSplitter([portion.letters for portion in chunk])
        cut_off = False
        async with aclosing(self._answer(chunk)) as answer:
            async for bit in answer:
                if isinstance(bit, Completion):
                    cut_off = bit.finish == "length"
                    continue
                at = splitter.done
                for portion, text in zip(chunk[at:], splitter.add(bit), strict=False):
                    yield Written(portion=portion, text=text)
        rest = chunk[splitter.done :]
        if not cut_off:
            for portion, text in zip(rest, splitter.finish(), strict=True):
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

    async def _answer(self, chunk: PromptChunk) -> AsyncGenerator[str | Completion, None]:
        """The answer; empty if the model refuses, and cut off if the prompt is too long."""
        messages = prompt.messages(words_in(chunk))
        generation = self._generation
        if self._max_tokens is not None:
            left = self._model.window - await self._model.count(messages)
            generation = replace(generation, max_tokens=max(min(self._max_tokens, left), 1))
        asked = Prompt(messages=messages, generation=generation, heartbeat=self._heartbeat)
        most = RUNAWAY_GROWTH * sum(map(len, words_in(chunk))) + RUNAWAY_CHARACTERS
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

    async def _fits(self, chunk: PromptChunk) -> bool:
        tokens = await self._model.count(prompt.messages(words_in(chunk)))
        text = tokens - self._overhead
        answer = math.ceil(GROWTH * text) + SPARE_TOKENS
        room = self._model.window - tokens
        if self._max_tokens is not None:
            room = min(room, self._max_tokens)
        return text <= self._most and answer <= room
