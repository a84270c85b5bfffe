"""Opens a language model on a server, after checking that the server has it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import structlog

from maie_core.errors import Code, StageError
from maie_core.reasons import Reason
from maie_llm.model import LanguageModel, Message
from maie_llm.openai.call_policy import CallPolicy
from maie_llm.openai.chunks import ModelCard
from maie_llm.openai.errors import model_missing
from maie_llm.openai.model import OpenAIModel
from maie_llm.openai.request import check_parameters
from maie_llm.openai.server import Server, open_client
from maie_llm.openai.settings import OpenAISettings
from maie_llm.settings import GenerationSettings

log = structlog.get_logger()


@asynccontextmanager
async def open_openai(
    settings: OpenAISettings, generation: GenerationSettings
) -> AsyncIterator[LanguageModel]:
    """A language model on a server.

    Args:
        settings: The server's address and features.
        generation: The default sampling parameters.

    Raises:
        StageError: FAILED_PRECONDITION with MODEL_MISSING, MODEL_ACCESS_DENIED
            or MODEL_WINDOW_INVALID; INVALID_ARGUMENT with OPTION_NOT_SUPPORTED if
            `generation` sets a parameter that the server does not accept; UNAVAILABLE
            with MODEL_UNAVAILABLE if it cannot be reached.
    """
    _check_named(settings)
    check_parameters(generation.generation(), settings)
    async with open_client(settings) as client:
        server = Server(client, settings)
        card = _card(await server.models(), settings)
        window = _window(card, settings)
        slots = await _slot_count(server)
        concurrency = settings.concurrency or slots
        model = OpenAIModel(
            server,
            settings,
            generation.generation(),
            window=window,
            counts_tokens=await _counts_tokens(server),
            policy=CallPolicy(settings, concurrency, server.slots if slots else None),
        )
        log.info(
            "llm.server",
            server=settings.base_url,
            model=settings.model,
            window=window,
            concurrency=concurrency,
        )
        yield model


def _check_named(settings: OpenAISettings) -> None:
    for name in ("base_url", "model"):
        if not getattr(settings, name):
            raise StageError(
                Code.FAILED_PRECONDITION,
                Reason.MODEL_MISSING,
                f"No language model is named; set {_variable(settings, name)}.",
            )


def _card(cards: Sequence[ModelCard], settings: OpenAISettings) -> ModelCard:
    found = next((card for card in cards if card.id == settings.model), None)
    if found is None:
        raise model_missing(settings.model, [card.id for card in cards])
    return found


def _window(card: ModelCard, settings: OpenAISettings) -> int:
    most, window = card.max_model_len, settings.window or card.max_model_len
    if window is None:
        problem = "does not report the model's window"
    elif most is not None and window > most:
        problem = f"has a window of {most} tokens for the model, not {window}"
    else:
        return window
    raise StageError(
        Code.FAILED_PRECONDITION,
        Reason.MODEL_WINDOW_INVALID,
        f"The language model's server {problem}; set {_variable(settings, 'window')} to it.",
    )


async def _counts_tokens(server: Server) -> bool:
    """Whether the server counts tokens; it has just answered, so an error means that it cannot."""
    try:
        return await server.count([Message(role="user", content="Hello.")]) > 0
    except StageError:
        return False


async def _slot_count(server: Server) -> int | None:
    """The number of slots that the server reports; None if it reports none."""
    try:
        return await server.slot_count()
    except StageError:
        return None


def _variable(settings: OpenAISettings, name: str) -> str:
    return f"{settings.model_config.get('env_prefix', '')}{name}".upper()
