"""Examples as tokens."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from itertools import takewhile

from transformers import PreTrainedTokenizerFast

from tests.models.meetings.examples import Example, Form, Task
from tests.models.meetings.hints import Hint


@dataclass(kw_only=True, frozen=True, slots=True)
class Sequence:
    """A prompt without its beginning, and the answer.

    Attributes:
        tokens: Both.
        answer_at: Where the answer begins.
        hints: What is to be known at tokens, by their places.
    """

    tokens: list[int]
    answer_at: int
    hints: dict[int, Hint]


class Encoder:
    """Makes tokens of examples as the model will see them, chat template included."""

    def __init__(self, tokenizer: PreTrainedTokenizerFast) -> None:
        self._tokenizer = tokenizer
        self._prefixes: dict[Form, list[int]] = {}

    def chat(self, form: Form, material: str, *, thinking: bool) -> str:
        """The prompt as text; without thinking it ends with an empty thought."""
        return self._tokenizer.apply_chat_template(
            form.messages(material),
            add_generation_prompt=True,
            enable_thinking=thinking,
            tokenize=False,
        )

    def prompt(self, form: Form, material: str, *, thinking: bool) -> list[int]:
        """The prompt's tokens."""
        return self._encode(self.chat(form, material, thinking=thinking))[0]

    def prefix(self, form: Form) -> list[int]:
        """The tokens that all prompts of a form begin with."""
        if form not in self._prefixes:
            prompts = [self.prompt(form, text, thinking=True) for text in ("a", "[", "{", "1")]
            same = takewhile(lambda alike: len(set(alike)) == 1, zip(*prompts, strict=False))
            self._prefixes[form] = [alike[0] for alike in same]
        return self._prefixes[form]

    def sequence(self, form: Form, example: Example, *, thinking: bool) -> Sequence:
        """An example without the beginning that its form gives it."""
        prefix = self.prefix(form)
        chat = self.chat(form, example.material, thinking=thinking)
        prompt, prompt_ends = self._encode(chat)
        if prompt[: len(prefix)] != prefix:
            raise ValueError("the material's first token swallowed the end of the prompt")
        answer, answer_ends = self._encode(example.answer)
        shift = chat.rindex(example.material)
        hints = {
            bisect_left(prompt_ends, shift + hint.end) - len(prefix): hint
            for hint in example.material_hints
        }
        answer_at = len(prompt) - len(prefix)
        hints |= {
            bisect_left(answer_ends, hint.end) + answer_at: hint for hint in example.answer_hints
        }
        tokens = [*prompt[len(prefix) :], *answer, self._tokenizer.eos_token_id]
        return Sequence(tokens=tokens, answer_at=answer_at, hints=hints)

    def batches(self, task: Task, size: int, count: int) -> list[tuple[list[int], list[Sequence]]]:
        """Draws batches, each of one form and of examples of like length, in random order.

        Args:
            task: What to draw from.
            size: How many tokens a batch has, about.
            count: How many batches are drawn, about.
        """
        form = task.chance.choice(task.forms)
        drawn: list[Sequence] = []
        length = 0
        while length < size * count:
            thinking = task.chance.random() < 0.5
            drawn.append(self.sequence(form, task.draw(), thinking=thinking))
            length += len(drawn[-1].tokens)
        drawn.sort(key=lambda each: len(each.tokens))
        batches: list[list[Sequence]] = [[]]
        for each in drawn:
            if (len(batches[-1]) + 1) * len(each.tokens) > size:
                batches.append([])
            batches[-1].append(each)
        task.chance.shuffle(batches)
        return [(self.prefix(form), batch) for batch in batches if batch]

    def _encode(self, text: str) -> tuple[list[int], list[int]]:
        """A text's tokens, and where each ends."""
        encoded = self._tokenizer(text, add_special_tokens=False, return_offsets_mapping=True)
        return encoded["input_ids"], [end for _, end in encoded["offset_mapping"]]
