"""The tiny Qwen3 as the tests run it, and what it is asked."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from maie_enhancement.llm import prompt as enhancement
from maie_llm import Completion, Generation, LanguageModel, Message, Prompt
from maie_llm.settings import VllmSettings
from tests.models.meetings.sentences import SENTENCES

OUTSIDE = dict(os.environ)
"""What a service is started with: an engine of the tests' own sets variables that all inherit."""
MODEL = Path(__file__).parents[1] / "models" / "tiny-qwen3"
WINDOW = 1024
# For two cores, of which others may use one.
SETTINGS: dict[str, Any] = {
    "dtype": "float32",
    "max_model_len": WINDOW,
    "max_num_seqs": 16,
    "cpu_threads": 1,
    "cpu_cache_gib": 1,
}
# A sentence may be a single token to this model.
SENTENCES_A_TEXT = 4
TEXTS = [
    " ".join(each.text for each in SENTENCES[at : at + SENTENCES_A_TEXT])
    for at in range(0, len(SENTENCES), SENTENCES_A_TEXT)
]
GREEDY = Generation(temperature=0.0)


def tiny_settings(**other: Any) -> VllmSettings:
    """The tiny model on a CPU."""
    return VllmSettings(model_path=MODEL, **SETTINGS, **other)


def ask(text: str, **other: Any) -> Prompt:
    """Asks for a text to be punctuated, as the enhancement service does."""
    return Prompt(messages=enhancement.messages(text.split()), **other)


def ask_anything(text: str, **other: Any) -> Prompt:
    """Asks for something that the model knows nothing of."""
    return Prompt(messages=[Message(role="user", content=text)], **other)


async def pieces(model: LanguageModel, prompt: Prompt) -> tuple[Sequence[str], Completion]:
    """The bits of an answer, and how it ended."""
    texts: list[str] = []
    async for piece in model.generate(prompt):
        if isinstance(piece, Completion):
            return texts, piece
        texts.append(piece)
    raise AssertionError("an answer must end with its completion")


async def answer(model: LanguageModel, prompt: Prompt) -> str:
    """A whole answer."""
    texts, _ = await pieces(model, prompt)
    return "".join(texts)
