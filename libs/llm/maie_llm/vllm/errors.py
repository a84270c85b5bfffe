"""Maps vLLM's errors to errors that a caller can act on."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from pydantic import ValidationError

from maie_core.errors import Code, StageError, invalid
from maie_core.models import model_corrupt
from maie_core.reasons import Reason

# About how long a restarted service needs to load its model.
RETRY_AFTER = timedelta(seconds=30)
# Libraries report it only in their messages, which differ.
OUT_OF_MEMORY_WORDS = (
    "out of memory",
    "can't allocate memory",
    "cannot allocate memory",
    "memoryerror",
    "no available memory",
    "not enough memory",
    "bad_alloc",
    "larger than the available kv cache memory",
    "less than desired gpu memory utilization",
    "less than requested memory",
)


def engine_died(cause: str) -> StageError:
    """The error after the model's process has died.

    Args:
        cause: The recorded cause; empty if none was recorded.
    """
    if is_out_of_memory(cause):
        return out_of_memory()
    return StageError(
        Code.UNAVAILABLE,
        Reason.MODEL_UNAVAILABLE,
        "The language model's process died, and its service starts again; try again later.",
        retry_after=RETRY_AFTER,
    )


def model_unavailable(what: str) -> StageError:
    """The model cannot answer for now.

    Args:
        what: Why, such as "is unloaded".
    """
    return StageError(
        Code.UNAVAILABLE,
        Reason.MODEL_UNAVAILABLE,
        f"The language model {what}; try again later.",
        retry_after=RETRY_AFTER,
    )


def out_of_memory() -> StageError:
    """The model does not fit into memory, or no longer does."""
    return StageError(
        Code.RESOURCE_EXHAUSTED,
        Reason.OUT_OF_MEMORY,
        "The language model ran out of memory; set a shorter MAX_MODEL_LEN, fewer MAX_NUM_SEQS, "
        "a smaller cache or a quantised model.",
    )


def start_failed(path: Path, cause: str) -> StageError:
    """The model cannot be loaded with these settings."""
    if is_out_of_memory(cause):
        return out_of_memory()
    return model_corrupt(
        f"The language model in {path} cannot be loaded: {cause}; correct the service's settings, "
        "or use another model."
    )


def prompt_too_long(prompt: int, answer: int, window: int) -> StageError:
    """Prompt and answer do not fit the window.

    Args:
        prompt: Tokens of the prompt.
        answer: The most tokens of the answer.
        window: The most tokens of both.
    """
    return invalid(
        Reason.PROMPT_TOO_LONG,
        f"A prompt of {prompt} tokens with an answer of up to {answer} does not fit the language "
        f"model's window of {window}; ask for less at once, or use a model with a longer window.",
    )


def is_out_of_memory(cause: str) -> bool:
    """Whether an error's message is about memory."""
    return any(words in cause.lower() for words in OUT_OF_MEMORY_WORDS)


def words_of(error: BaseException) -> str:
    """An exception's message in one line."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    if isinstance(error, ValidationError):
        lines = [problem["msg"] for problem in error.errors()]
    return lines[0].rstrip(".") if lines else type(error).__name__
