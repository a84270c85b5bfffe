"""Trains the tiny Qwen3 from random weights: `python -m tests.models.meetings.train FOLDER`.

Needs torch, transformers and tokenizers (the environment of `make test-vllm` has them) and half an
hour on one core of 2025.
"""

from __future__ import annotations

import argparse
import math
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors.torch import load_model
from torch.nn.functional import cross_entropy, scaled_dot_product_attention
from transformers import (
    AttentionInterface,
    AutoTokenizer,
    DynamicCache,
    GenerationConfig,
    PreTrainedTokenizerFast,
    Qwen3Config,
    Qwen3ForCausalLM,
)
from transformers.masking_utils import ALL_MASK_ATTENTION_FUNCTIONS, AttentionMaskInterface

from tests.models.meetings import tokens
from tests.models.meetings.encoding import Encoder, Sequence
from tests.models.meetings.examples import HIGHEST_FIRST_LINE, Task, constants, tasks
from tests.models.meetings.hints import NOTHING

VOCABULARY = 2400
LAYERS, WIDTH, HEADS, INNER = 4, 128, 4, 384
POSITIONS = 4096
# Muon's learning rate for the matrices, and AdamW's for the rest.
MATRIX_RATE, REST_RATE = 0.008, 2e-3
WARM_UP = 50
# The share of the time after which the learning rate falls, to nothing.
DECAY_FROM = 0.4
# How many tokens are read at once, about.
BATCH_TOKENS = 1200
# Batches are cut from a pool sorted by length, so that little of them is padding.
POOL = 8
# The loss below which a task's examples may grow by one, and what it counts as then.
EASY, HARDER = 0.03, 0.1
IGNORED = -100
# After which layer each hint is asked, and how many answers it has.
HINTS = {
    "own": (2, NOTHING),
    "line": (1, HIGHEST_FIRST_LINE + 100),
    "alike": (2, NOTHING + 1),
    "before": (3, NOTHING + 1),
}
# How much the hints count.
HINTED = 0.5
# How often each task has its turn.
TURNS = ("notes", "punctuation", "notes", "merge")


class Hints(torch.nn.Module):
    """Heads that tell what the model knows on its way; they are not part of it."""

    def __init__(self) -> None:
        super().__init__()
        self.last: dict[str, float] = {}
        self.heads = torch.nn.ModuleDict(
            {name: torch.nn.Linear(WIDTH, classes) for name, (_, classes) in HINTS.items()}
        )

    def forward(self, states: tuple[torch.Tensor, ...], batch: list[Sequence]) -> torch.Tensor:
        """The loss of all hints, from the states after each layer."""
        losses = []
        for name, (layer, _) in HINTS.items():
            asked = [
                (row, at, value)
                for row, each in enumerate(batch)
                for at, hint in each.hints.items()
                if (value := getattr(hint, name)) is not None
            ]
            if asked:
                rows, places, values = torch.tensor(asked).T
                scores = self.heads[name](states[layer][rows, places])
                losses.append(cross_entropy(scores.float(), values))
                self.last[name] = 0.9 * self.last.get(name, 1.0) + 0.1 * losses[-1].item()
        return torch.stack(losses).sum()


@dataclass(kw_only=True, slots=True)
class Run:
    """A training as it goes.

    Attributes:
        losses: The smoothed loss of each task.
        step: How many updates were made.
    """

    losses: dict[str, float]
    step: int = 0


def corpus(every: list[Task]) -> Iterator[str]:
    """Texts to learn the vocabulary from."""
    for number in range(1, HIGHEST_FIRST_LINE + 50):
        yield from [str(number)] * 100
    yield from ["system\n", "user\n", "assistant\n"] * 100
    for task in every:
        for _ in range(1500 if task.name == "punctuation" else 600):
            example = task.draw()
            yield from (example.material, example.answer)


def build_model(tokenizer: PreTrainedTokenizerFast) -> Qwen3ForCausalLM:
    """A Qwen3 with random weights."""
    config = Qwen3Config(
        vocab_size=len(tokenizer),
        hidden_size=WIDTH,
        intermediate_size=INNER,
        num_hidden_layers=LAYERS,
        num_attention_heads=HEADS,
        num_key_value_heads=HEADS,
        head_dim=WIDTH // HEADS,
        max_position_embeddings=POSITIONS,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
        bos_token_id=None,
        tie_word_embeddings=True,
        dtype="float32",
        rope_theta=10_000.0,
    )
    model = Qwen3ForCausalLM(config)
    model.set_attn_implementation("float32")
    # What Qwen3's authors advise without thinking; for right answers, ask with temperature 0.
    model.generation_config = GenerationConfig(
        do_sample=True,
        temperature=0.7,
        top_p=0.8,
        top_k=20,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
    return model


def build_optimizers(
    model: Qwen3ForCausalLM, hints: Hints
) -> list[tuple[torch.optim.Optimizer, float]]:
    """Muon for the matrices and AdamW for the rest, each with its peak rate."""
    matrices: list[torch.nn.Parameter] = []
    rest = list(hints.parameters())
    for name, weights in model.named_parameters():
        is_matrix = weights.ndim == 2 and "embed" not in name
        (matrices if is_matrix else rest).append(weights)
    return [
        (torch.optim.Muon(matrices, weight_decay=0.01), MATRIX_RATE),
        (torch.optim.AdamW(rest, betas=(0.9, 0.98), weight_decay=0.0), REST_RATE),
    ]


def attend(
    module: torch.nn.Module,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,
    scaling: float | None = None,
    **_: object,
) -> tuple[torch.Tensor, None]:
    """Attention in float32: its way back is several times slower in bfloat16 on a CPU."""
    with torch.autocast("cpu", enabled=False):
        mixed = scaled_dot_product_attention(
            query.float(),
            key.float(),
            value.float(),
            attn_mask=attention_mask,
            scale=scaling,
            is_causal=attention_mask is None,
        )
    return mixed.to(query.dtype).transpose(1, 2).contiguous(), None


def losses_of(
    model: Qwen3ForCausalLM, hints: Hints, prefix: list[int], batch: list[Sequence]
) -> tuple[torch.Tensor, torch.Tensor]:
    """The losses on answers and hints of a batch that begins alike; the beginning is read once."""
    longest = max(len(each.tokens) for each in batch)
    inputs = torch.zeros(len(batch), longest, dtype=torch.long)
    targets = torch.full((len(batch), longest), IGNORED)
    for row, each in enumerate(batch):
        length = len(each.tokens)
        inputs[row, :length] = torch.tensor(each.tokens)
        targets[row, each.answer_at - 1 : length - 1] = inputs[row, each.answer_at : length]
    with torch.autocast("cpu", torch.bfloat16):
        cache = DynamicCache(config=model.config)
        model.model(torch.tensor([prefix]), past_key_values=cache, use_cache=True)
        cache.batch_repeat_interleave(len(batch))
        read = model.model(inputs, past_key_values=cache, use_cache=True, output_hidden_states=True)
        chosen = targets != IGNORED
        scores = model.lm_head(read.last_hidden_state[chosen])
        hinted = hints(read.hidden_states, batch)
    return cross_entropy(scores.float(), targets[chosen]), hinted


def rate(done: float, step: int) -> float:
    """What of the learning rate is left after a share of the time, 0 to 1, and some steps."""
    warm = min(1.0, (step + 1) / WARM_UP)
    fall = max(0.0, (done - DECAY_FROM) / (1 - DECAY_FROM))
    return warm * max(0.02, 0.5 * (1 + math.cos(math.pi * fall)))


def train(
    model: Qwen3ForCausalLM, encoder: Encoder, every: list[Task], seconds: float, folder: Path
) -> None:
    """Trains until the time is over; longer examples come as the short ones are learned."""
    by_name = {task.name: task for task in every}
    hints = Hints()
    optimizers = build_optimizers(model, hints)
    waiting: dict[str, list[tuple[list[int], list[Sequence]]]] = {name: [] for name in by_name}
    run = Run(losses=dict.fromkeys(by_name, HARDER * 10))
    start = time.monotonic()
    while (spent := time.monotonic() - start) < seconds:
        task = by_name[TURNS[run.step % len(TURNS)]]
        if not waiting[task.name]:
            waiting[task.name] = encoder.batches(task, BATCH_TOKENS, POOL)
        prefix, batch = waiting[task.name].pop()
        loss, hinted = losses_of(model, hints, prefix, batch)
        model.zero_grad()
        hints.zero_grad()
        (loss + HINTED * hinted).backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        for optimizer, peak in optimizers:
            optimizer.param_groups[0]["lr"] = peak * rate(spent / seconds, run.step)
            optimizer.step()
        run.step += 1
        run.losses[task.name] = 0.95 * run.losses[task.name] + 0.05 * loss.item()
        if run.losses[task.name] < EASY and task.size < task.most:
            task.size += 1
            run.losses[task.name] = HARDER
            waiting[task.name] = []
        if run.step % 100 == 0:
            tasks_now = (f"{t.name} {run.losses[t.name]:.4f}@{t.size}" for t in every)
            hints_now = (f"{name} {loss:.3f}" for name, loss in hints.last.items())
            print(f"{spent:5.0f} s {run.step}", *tasks_now, *hints_now, flush=True)
        if run.step % 500 == 0:
            model.save_pretrained(folder)


def main() -> None:
    """Trains and writes the model."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--start", type=Path, help="a model of the same size to go on from")
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    AttentionInterface.register("float32", attend)
    AttentionMaskInterface.register("float32", ALL_MASK_ATTENTION_FUNCTIONS["sdpa"])
    torch.set_num_threads(options.threads)
    torch.manual_seed(options.seed)
    every = tasks(options.seed)
    if options.start:
        tokenizer = AutoTokenizer.from_pretrained(options.start)
    else:
        tokenizer = tokens.build(corpus(every), constants(every), VOCABULARY)
    tokenizer.save_pretrained(options.folder)
    model = build_model(tokenizer)
    if options.start:
        load_model(model, options.start / "model.safetensors")
    print(f"{sum(each.numel() for each in model.parameters())} weights", flush=True)
    train(model, Encoder(tokenizer), every, options.minutes * 60, options.folder)
    model.save_pretrained(options.folder)


if __name__ == "__main__":
    main()
