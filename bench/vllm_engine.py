"""vLLM in the service, against vLLM by itself: tokens a second with several requests at once.

Both sides ask the same engine in this process the same questions with the same seeds, in turn. Ours
is the whole language model: the chat template, the count of tokens, the layers of settings, the
log. The bare side has the text that the template makes, and calls `AsyncLLM.generate` with it.

Named so because `vllm.py` would stand before the library itself.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Annotated, Any
from uuid import uuid4

import psutil
import structlog
import typer

from bench.others import Others
from bench.report import Figure, JsonOption, Report, note
from maie_enhancement.llm import prompt as enhancement
from maie_llm import Completion, Generation, Prompt
from maie_llm.settings import GenerationSettings, VllmSettings
from maie_llm.vllm import open_vllm
from tests.models.meetings.sentences import SENTENCES
from tests.vllm.tiny import MODEL, SETTINGS

MIN_RATIO = 0.95
# A prompt chunk, as long as those of the enhancement service.
SENTENCES_A_REQUEST = 6
# As long for every round, whatever the model would say.
ANSWER: dict[str, Any] = {"temperature": 1.0, "top_k": 0, "top_p": 1.0}

Answer = Callable[[int], Awaitable[tuple[str, int]]]


@dataclass(kw_only=True, frozen=True, slots=True)
class Round:
    """What one round gave: tokens, and what they took in seconds."""

    tokens: int
    wall: float
    cpu: float
    texts: tuple[str, ...]


app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
def main(
    model: Annotated[Path, typer.Option(help="A verified model's directory.")] = MODEL,
    window: Annotated[int, typer.Option(help="The model's window in tokens.")] = 1024,
    requests: Annotated[int, typer.Option(help="How many requests a round has.")] = 48,
    at_once: Annotated[int, typer.Option(help="How many of them run at the same time.")] = 8,
    tokens: Annotated[int, typer.Option(help="The longest answer.")] = 96,
    pairs: Annotated[int, typer.Option(help="How often each side runs, in turn.")] = 21,
    as_json: JsonOption = False,
) -> None:
    """Prints tokens a second of both sides and their ratio."""
    # As a service logs, but to nowhere.
    structlog.configure(
        processors=[structlog.processors.JSONRenderer()],
        logger_factory=structlog.WriteLoggerFactory(Path(os.devnull).open("w")),  # noqa: SIM115
    )
    settings = VllmSettings(**{**SETTINGS, "model_path": model, "max_model_len": window})
    asyncio.run(_main(settings, requests, at_once, tokens, pairs, as_json))


async def _main(
    settings: VllmSettings, requests: int, at_once: int, tokens: int, pairs: int, as_json: bool
) -> None:
    others = Others()
    ours: list[Round] = []
    bare: list[Round] = []
    async with open_vllm(settings, GenerationSettings()) as model:
        prompts = [_prompt(number, tokens) for number in range(requests)]
        sides = {"ours": _ours(model, prompts), "bare": await _bare(model, prompts, tokens)}
        rounds = {"ours": ours, "bare": bare}
        for number in range(pairs + 1):
            for side in ("ours", "bare") if number % 2 else ("bare", "ours"):
                rounds[side].append(await _round(sides[side], requests, at_once))
            if ours[-1].texts != bare[-1].texts:
                raise RuntimeError("The two sides got different answers.")
            note(
                f"round {number}: ours {_speed(ours[-1]):.0f}, bare {_speed(bare[-1]):.0f} tokens/s"
            )
        device = model.version(Generation()).device
    # The first round warms up.
    del ours[0], bare[0]
    Report(
        bench="vllm_engine",
        measured="Tokens a second of the language model in the service against vLLM by itself.",
        settings={
            "model": settings.model_path.name if settings.model_path else "",
            "device": device,
            "requests": requests,
            "at_once": at_once,
            "longest_answer": tokens,
            "pairs": pairs,
        },
        figures=[
            Figure(name="in the service, median", value=_median(ours), unit="tokens/s"),
            Figure(name="vLLM by itself, median", value=_median(bare), unit="tokens/s"),
            Figure(name="ratio", value=_median(ours) / _median(bare), at_least=MIN_RATIO),
            Figure(
                name="ratio of the best rounds",
                value=max(map(_speed, ours)) / max(map(_speed, bare)),
            ),
            Figure(
                name="ratio by processor time",
                value=median(each.cpu for each in bare) / median(each.cpu for each in ours),
            ),
            Figure(name="CPU that others took meanwhile", value=100 * others.share(), unit="%"),
        ],
    ).print(as_json)


def _prompt(number: int, tokens: int) -> Prompt:
    words: list[str] = []
    for offset in range(SENTENCES_A_REQUEST):
        words += SENTENCES[(number + offset) % len(SENTENCES)].words.split()
    generation = Generation(**ANSWER, seed=number, max_tokens=tokens)
    return Prompt(messages=enhancement.messages(words), generation=generation)


def _ours(model: Any, prompts: Sequence[Prompt]) -> Answer:
    async def answer(number: int) -> tuple[str, int]:
        text, tokens = "", 0
        async for piece in model.generate(prompts[number]):
            if isinstance(piece, Completion):
                tokens = piece.tokens
            else:
                text += piece
        return text, tokens

    return answer


async def _bare(model: Any, prompts: Sequence[Prompt], tokens: int) -> Answer:
    from vllm.inputs import TextPrompt
    from vllm.sampling_params import RequestOutputKind, SamplingParams

    engine = model.weights.running
    tokenizer = engine.get_tokenizer()
    texts = [tokenizer.decode(await model._chat.tokens(prompt.messages)) for prompt in prompts]

    async def answer(number: int) -> tuple[str, int]:
        params = SamplingParams(
            **ANSWER, seed=number, max_tokens=tokens, output_kind=RequestOutputKind.DELTA
        )
        text, count = "", 0
        async for output in engine.generate(TextPrompt(prompt=texts[number]), params, uuid4().hex):
            text += output.outputs[0].text
            count += len(output.outputs[0].token_ids)
        return text, count

    return answer


async def _round(answer: Answer, requests: int, at_once: int) -> Round:
    slots = asyncio.Semaphore(at_once)

    async def one(number: int) -> tuple[str, int]:
        async with slots:
            return await answer(number)

    started, worked = time.perf_counter(), _cpu()
    answers = await asyncio.gather(*(one(number) for number in range(requests)))
    return Round(
        tokens=sum(tokens for _, tokens in answers),
        wall=time.perf_counter() - started,
        cpu=_cpu() - worked,
        texts=tuple(text for text, _ in answers),
    )


def _cpu() -> float:
    """Processor time of this process and of the model's, in seconds."""
    here = psutil.Process()
    times = [process.cpu_times() for process in (here, *here.children(recursive=True))]
    return sum(each.user + each.system for each in times)


def _speed(each: Round) -> float:
    return each.tokens / each.wall


def _median(rounds: Sequence[Round]) -> float:
    return median(map(_speed, rounds))


if __name__ == "__main__":
    app()
