"""Measures the tiny Qwen3: `python -m tests.models.meetings.measure FOLDER`.

An answer counts where it is right to the last character. All its tokens are scored at once behind
the right ones; each is the likeliest exactly where greedy decoding writes the right answer.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import torch
from transformers import AutoTokenizer, Qwen3ForCausalLM

from tests.models.meetings.encoding import Encoder
from tests.models.meetings.examples import Form, Task, tasks

# Other luck than training has.
SEED = 12345
SIZES = {"punctuation": (1, 2, 4, 6, 8), "notes": (1, 2, 4, 6, 8, 10, 12), "merge": (1, 2, 3, 5)}


def is_right(
    model: Qwen3ForCausalLM, encoder: Encoder, task: Task, form: Form, *, exactly: int
) -> bool:
    """Draws an example and says whether greedy decoding gets all of it right."""
    example = task.draw(exactly=exactly)
    thinking = task.chance.random() < 0.5
    sequence = encoder.sequence(form, example, thinking=thinking)
    prefix = encoder.prefix(form)
    with torch.inference_mode():
        scores = model(torch.tensor([[*prefix, *sequence.tokens]])).logits[0]
    start = len(prefix) + sequence.answer_at - 1
    answer = sequence.tokens[sequence.answer_at :]
    return scores[start:-1].argmax(-1).tolist() == answer


def main() -> None:
    """Prints the share of right answers by task and size."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--count", type=int, default=100)
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    encoder = Encoder(AutoTokenizer.from_pretrained(options.folder))
    model = Qwen3ForCausalLM.from_pretrained(options.folder, dtype=torch.float32).eval()
    for task in tasks(SEED):
        for size in SIZES[task.name]:
            forms = [task.chance.choice(task.forms) for _ in range(options.count)]
            right = sum(is_right(model, encoder, task, form, exactly=size) for form in forms)
            print(f"{task.name} of {size}: {right} of {options.count}", flush=True)


if __name__ == "__main__":
    main()
