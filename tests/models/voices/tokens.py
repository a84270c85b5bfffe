"""The tiny Whisper's tokenizer: multilingual Whisper's order of tokens, with few tokens of text."""

from __future__ import annotations

import json
from functools import cached_property

from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

from tests.models.voices.sentences import SENTENCES

# Whisper's languages in the order of their tokens.
_ORDER = (
    "en zh de es ru ko fr ja pt tr pl ca nl ar sv it id hi fi vi he uk el ms cs ro da hu ta no th "
    "ur hr bg lt la mi ml cy sk te fa lv bn sr az sl kn et mk br eu is hy ne mn bs kk sq sw gl mr "
    "pa si km sn yo so af oc ka be tg sd gu am yi lo uz fo ht ps tk nn mt sa lb my bo tl mg as tt "
    "haw ln ha ba jw su"
)
LANGUAGES = tuple(_ORDER.split())
# Seconds between two timestamps, and how many there are: 0.00 to 30.00.
TIMESTAMP_STEP = 0.02
TIMESTAMPS = 1501
SPECIAL = (
    "<|endoftext|>",
    "<|startoftranscript|>",
    *(f"<|{language}|>" for language in LANGUAGES),
    "<|translate|>",
    "<|transcribe|>",
    "<|startoflm|>",
    "<|startofprev|>",
    "<|nospeech|>",
    "<|notimestamps|>",
)
# Special tokens that training makes use of; all others share one embedding.
LEARNED = (
    "<|endoftext|>",
    "<|startoftranscript|>",
    "<|en|>",
    "<|transcribe|>",
    "<|translate|>",
    "<|startofprev|>",
    "<|nospeech|>",
    "<|notimestamps|>",
)
MOST_TEXT_TOKENS = 3000


def build() -> Tokenizer:
    """Learns the vocabulary from the sentences, always the same."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.train_from_iterator(
        [f" {sentence}" for sentence in SENTENCES],
        trainers.BpeTrainer(
            vocab_size=MOST_TEXT_TOKENS,
            min_frequency=1,
            initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
            show_progress=False,
        ),
    )
    whole = json.loads(tokenizer.to_str())
    vocabulary = whole["model"]["vocab"]
    # CTranslate2 takes a Whisper for multilingual only if its vocabulary holds the empty token.
    vocabulary[""] = len(vocabulary)
    timestamps = (f"<|{step * TIMESTAMP_STEP:.2f}|>" for step in range(TIMESTAMPS))
    whole["added_tokens"] = [
        {
            "id": number,
            "content": content,
            "single_word": False,
            "lstrip": False,
            "rstrip": False,
            "normalized": False,
            "special": True,
        }
        for number, content in enumerate((*SPECIAL, *timestamps), len(vocabulary))
    ]
    return Tokenizer.from_str(json.dumps(whole, ensure_ascii=False))


class Vocabulary:
    """The tokens by their meaning.

    Attributes:
        tokenizer: What they come from.
        texts: How many tokens of text there are; they are the first.
        timestamps: The token of 0.00; those of later times follow it and are the last.
        size: How many tokens there are.
    """

    def __init__(self, tokenizer: Tokenizer) -> None:
        self.tokenizer = tokenizer
        self.texts = self.special("")
        self.timestamps = self.special("<|0.00|>")
        self.size = self.timestamps + TIMESTAMPS
        self._encoded: dict[tuple[str, ...], tuple[list[int], list[int]]] = {}

    def special(self, content: str) -> int:
        """A token by what is written for it."""
        number = self.tokenizer.token_to_id(content)
        if number is None:
            raise KeyError(content)
        return number

    @cached_property
    def end(self) -> int:
        """The token after the last."""
        return self.special("<|endoftext|>")

    def timestamp(self, seconds: float) -> int:
        """The token of a time, 0 to 30 seconds; what lies outside is moved there."""
        step = round(seconds / TIMESTAMP_STEP)
        return self.timestamps + min(max(step, 0), TIMESTAMPS - 1)

    def encode(self, words: tuple[str, ...]) -> tuple[list[int], list[int]]:
        """The tokens of words, and the place of the word that each belongs to."""
        if words not in self._encoded:
            text = f" {' '.join(words)}"
            encoded = self.tokenizer.encode(text, add_special_tokens=False)
            owners = [text[:end].count(" ") - 1 for _, end in encoded.offsets]
            self._encoded[words] = (encoded.ids, owners)
        return self._encoded[words]

    def rows(self) -> list[int]:
        """Which learned embedding each token has, timestamps apart: unused ones share the last."""
        learned = [*range(self.texts), *(self.special(content) for content in LEARNED)]
        places = {number: row for row, number in enumerate(learned)}
        return [places.get(number, len(learned)) for number in range(self.timestamps)]
