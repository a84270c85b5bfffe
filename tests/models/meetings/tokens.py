"""The tiny Qwen3's tokenizer: Qwen3's chat form over a small vocabulary that fits its sentences."""

from __future__ import annotations

from collections.abc import Iterable

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerFast

# Words of the JSON that notes are written in; with the signs between them they become few tokens.
KEYS = (
    *("lines", "text", "task", "owner", "due", "null", "title", "abstract", "topics"),
    *("key_points", "decisions", "action_items", "questions"),
)
# What is never merged with its neighbours: numbers, JSON between texts (a list's beginning ends a
# piece, so that each list is a choice of its own), what begins with a capital letter up to the end
# of its sentence, and other words one by one.
PIECES = (
    rf'\d+|\] |["{{}}\]](?:[,:"{{}}\]]|{"|".join(KEYS)})*\[?|\[|\n+|(?<=[.?!]) (?=[A-Z])'
    r'|[A-Z][^\d\[\]{}"\n]*?[.?!](?=[ \n"]|$)|[A-Z][^\d\[\]{}"\n]*| ?[^\s\d\[\]{}"]+| +'
)
SPECIAL = ("<|endoftext|>", "<|im_start|>", "<|im_end|>")
THINKING = ("<think>", "</think>")
# Qwen3's form: thinking is switched off by an empty thought that the prompt holds already.
CHAT_TEMPLATE = """\
{%- for message in messages %}
{{- '<|im_start|>' + message.role + '\\n' + message.content + '<|im_end|>\\n' }}
{%- endfor %}
{%- if add_generation_prompt %}
{{- '<|im_start|>assistant\\n' }}
{%- if enable_thinking is defined and enable_thinking is false %}
{{- '<think>\\n\\n</think>\\n\\n' }}
{%- endif %}
{%- endif %}"""


def build(corpus: Iterable[str], constants: Iterable[str], size: int) -> PreTrainedTokenizerFast:
    """Learns a vocabulary.

    Args:
        corpus: Texts as the model reads and writes them.
        constants: Texts that every prompt holds alike. They are given tokens of their own, so that
            a prompt with a schema of thousands of characters costs fifty tokens.
        size: How many tokens there are besides those of the constants.
    """
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(PIECES), behavior="isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.train_from_iterator(
        corpus,
        trainers.BpeTrainer(
            vocab_size=size,
            special_tokens=list(SPECIAL),
            initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
            show_progress=False,
        ),
    )
    added = (*THINKING, *constants)
    tokenizer.add_tokens([AddedToken(text, normalized=False) for text in added])
    wrapped = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        eos_token="<|im_end|>",
        pad_token="<|endoftext|>",
        clean_up_tokenization_spaces=False,
    )
    wrapped.chat_template = CHAT_TEMPLATE
    return wrapped
