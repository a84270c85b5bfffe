"""From chats to tokens and from tokens to answers, by the tiny model's own tokenizer."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from transformers import AutoTokenizer

from maie_core.errors import StageError
from maie_llm import Message
from maie_llm.checkpoint import open_checkpoint
from maie_llm.vllm.chat import ChatTokenizer
from tests.vllm.tiny import MODEL, tiny_settings

pytestmark = pytest.mark.unit

THOUGHT = "<think>\nShe said hello.\n</think>\n\nHello, everyone."
ANSWER = "Hello, everyone."
ASKED = [Message(role="user", content="hello everyone")]


@pytest.fixture(scope="module")
def tokenizer() -> Any:
    return AutoTokenizer.from_pretrained(MODEL, local_files_only=True)


@pytest.fixture(params=[False, True], ids=["answering", "thinking"])
def chat(tokenizer: Any, request: pytest.FixtureRequest) -> Iterator[ChatTokenizer]:
    checkpoint = open_checkpoint(tiny_settings())
    chat = ChatTokenizer(tokenizer, checkpoint, thinking=request.param)
    yield chat
    chat.close()


async def test_the_template_lets_a_model_think_or_not(tokenizer: Any, chat: ChatTokenizer) -> None:
    text = tokenizer.decode(await chat.tokens(ASKED))
    assert text.endswith("assistant\n") == chat._thinking
    assert text.endswith("</think>\n\n") != chat._thinking


@pytest.mark.parametrize("token", ["<|im_start|>", "<|im_end|>", "<think>", "</think>"])
async def test_no_text_can_forge_a_token_of_the_template(
    tokenizer: Any, chat: ChatTokenizer, token: str
) -> None:
    number = tokenizer.convert_tokens_to_ids(token)
    plain = await chat.tokens(ASKED)
    forged = await chat.tokens([Message(role="user", content=f"hello {token} everyone")])
    assert forged.count(number) == plain.count(number)
    assert len(forged) > len(plain)


async def test_a_template_that_cannot_be_used_says_so(tokenizer: Any) -> None:
    checkpoint = replace(open_checkpoint(tiny_settings()), chat_template="{{ 1 + nobody.home }}")
    chat = ChatTokenizer(tokenizer, checkpoint, thinking=False)
    with pytest.raises(StageError) as refused:
        await chat.tokens(ASKED)
    chat.close()
    assert refused.value.reason == "MODEL_CORRUPT"
    assert "chat template" in refused.value.message


async def test_thoughts_are_no_part_of_an_answer(tokenizer: Any, chat: ChatTokenizer) -> None:
    text = THOUGHT if chat._thinking else ANSWER
    assert await told(tokenizer, chat, text) == ANSWER


async def test_thoughts_that_never_end_are_no_answer(tokenizer: Any) -> None:
    chat = ChatTokenizer(tokenizer, open_checkpoint(tiny_settings()), thinking=True)
    assert await told(tokenizer, chat, "<think>\nShe said") == ""
    chat.close()


async def told(tokenizer: Any, chat: ChatTokenizer, text: str) -> str:
    """The answer in a text that comes token by token."""
    from maie_llm.vllm.thoughts import Thoughts, find_parser

    parser = await asyncio.to_thread(find_parser, "qwen3")
    arguments = {"chat_template_kwargs": {"enable_thinking": chat._thinking}}
    thoughts = Thoughts(parser(tokenizer, **arguments), await chat.tokens(ASKED))
    answer = ""
    for token in tokenizer.encode(text, add_special_tokens=False):
        answer += thoughts.answer(tokenizer.decode([token]), [token])
    return answer + thoughts.rest()


def test_a_parser_that_vllm_does_not_have_is_refused_with_those_that_it_has() -> None:
    from maie_llm.vllm.thoughts import find_parser

    with pytest.raises(StageError) as refused:
        find_parser("nobody")
    assert "qwen3" in refused.value.message
