"""The engine `rules`: pauses, a trigram language model and rules of English.

The language model is the one in pocketsphinx's wheel, so the engine needs
neither a download nor a GPU.
"""

from __future__ import annotations

import asyncio
import hashlib
import math
import threading
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, suppress
from importlib.metadata import version
from itertools import takewhile
from pathlib import Path

from pocketsphinx import NGramModel, get_model_path

from maie.common.v1 import types_pb2 as common
from maie_core.errors import Code, StageError
from maie_core.reasons import Reason
from maie_enhancement.engine import Piece, Segment
from maie_enhancement.rules import Punctuator, Stopped, rules_sha256
from maie_enhancement.settings import EnhancementSettings
from maie_llm import Generation
from maie_runtime.worker.stage import ignore_heartbeat

MODEL = "en-us/en-us.lm.bin"
MODEL_SHA256 = "db21d0642286677699e6dbc859d2e5395570222361999387ce60f6e1d01995d6"
# The base of the library's log probabilities.
LOG_BASE = 1.0001
# The library's value for an unknown word is far below that for any known one.
UNKNOWN = -(2**28)
# The log probability of an unknown word, with or without a sentence end before it.
UNKNOWN_LOG_PROB = -12.0


class TrigramModel:
    """The English trigram model of pocketsphinx.

    Args:
        path: The model's file.
    """

    def __init__(self, path: str) -> None:
        self._model = NGramModel.readfile(path)

    def log_prob(self, word: str, history: tuple[str, ...]) -> float:
        """The natural logarithm of a word's probability after its history.

        Args:
            word: A word in lower case, or `</s>` for a sentence's end.
            history: The words before it, the most recent first; `<s>` is a
                sentence's start. Words before an unknown word are ignored.
        """
        value = self._model.prob([word, *takewhile(self._knows, history)])
        return value * math.log(LOG_BASE) if value > UNKNOWN else UNKNOWN_LOG_PROB

    def _knows(self, word: str) -> bool:
        return bool(self._model.prob([word]) > UNKNOWN)


class RulesEngine:
    """Punctuates English by rules, other languages only by pauses.

    Args:
        punctuator: The rules.
        checkpoint_sha256: The hash over rules and language model.
        executor: Where the work runs.
    """

    description = (
        "Sentence ends by pauses and an English trigram model; questions and casing by rules."
    )
    language_codes = ("en",)
    max_word_change = 0.0
    weights = None

    def __init__(
        self, punctuator: Punctuator, checkpoint_sha256: str, executor: ThreadPoolExecutor
    ) -> None:
        self._punctuator = punctuator
        self._checkpoint_sha256 = checkpoint_sha256
        self._executor = executor

    def version(self, generation: Generation) -> common.EngineVersion:
        """The rules and the language model by hash."""
        return common.EngineVersion(
            engine="rules",
            library=f"pocketsphinx {version('pocketsphinx')}",
            model_name="en-us.lm",
            checkpoint_sha256=self._checkpoint_sha256,
            device="cpu",
        )

    async def enhance(
        self,
        segments: Sequence[Segment],
        language_code: str,
        generation: Generation,
        heartbeat: Callable[[], None] = ignore_heartbeat,
    ) -> AsyncGenerator[Piece, None]:
        """Yields the clean text of each segment, in order."""
        stop = threading.Event()
        english = language_code.split("-")[0].lower() in ("", "en")

        def work() -> list[str]:
            with suppress(Stopped):
                return list(self._punctuator.punctuate(segments, english=english, stop=stop))
            return []

        try:
            texts = await asyncio.get_running_loop().run_in_executor(self._executor, work)
        finally:
            stop.set()
        for index, text in enumerate(texts):
            yield Piece(segment=index, text=text)


def _verified_model(path: Path) -> str:
    """The model's hash, verified to be the one that the rules were made with."""
    if not path.is_file():
        raise StageError(
            Code.FAILED_PRECONDITION,
            Reason.MODEL_MISSING,
            f"The language model {path} is missing; reinstall pocketsphinx 5.1.",
        )
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    if digest != MODEL_SHA256:
        raise StageError(
            Code.FAILED_PRECONDITION,
            Reason.MODEL_CORRUPT,
            f"The language model {path} has SHA-256 {digest}, not {MODEL_SHA256}; "
            "reinstall pocketsphinx 5.1.",
        )
    return digest


@asynccontextmanager
async def create(settings: EnhancementSettings) -> AsyncIterator[RulesEngine]:
    """Loads the engine.

    Raises:
        StageError: FAILED_PRECONDITION with MODEL_MISSING or MODEL_CORRUPT.
    """
    path = settings.rules_model or Path(str(get_model_path(MODEL)))
    with ThreadPoolExecutor(settings.slots, "enhancement-rules") as executor:
        run = asyncio.get_running_loop().run_in_executor
        digest = await run(executor, _verified_model, path)
        model = await run(executor, TrigramModel, str(path))
        checkpoint = hashlib.sha256((digest + rules_sha256()).encode()).hexdigest()
        yield RulesEngine(Punctuator(model.log_prob), checkpoint, executor)
