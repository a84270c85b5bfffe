"""The letters of English words."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

from maie_alignment.engine import Letter, Phone
from maie_alignment.engines.embedded.letters import letter_sounds, split_phones


def spelling(word: str) -> str:
    """A word in the letters a to z and the apostrophe: "naïve" is "naive"; empty for none."""
    plain = unicodedata.normalize("NFKD", word.lower().replace("’", "'"))
    letters = re.sub(r"[^a-z']", "", plain)
    return letters if re.search("[a-z]", letters) else ""


def letters_of(spelt: str, phones: Sequence[Phone]) -> tuple[Letter, ...]:
    """The letters with their times; silent ones share that of the letter before, or after."""
    chunks = split_phones(spelt, [each.symbol for each in phones], letter_sounds().costs)
    # Each group is a letter with sound and the silent ones beside it.
    groups: list[tuple[str, int]] = []
    for letter, chunk in zip(spelt, chunks, strict=True):
        if groups and (not chunk or not groups[-1][1]):
            text, count = groups.pop()
            groups.append((text + letter, count + len(chunk)))
        else:
            groups.append((letter, len(chunk)))
    letters: list[Letter] = []
    place = 0
    for text, count in groups:
        start, end = phones[place].start, phones[place + count - 1].end
        share = (end - start) / len(text)
        letters += [
            Letter(text=each, start=start + number * share, end=start + (number + 1) * share)
            for number, each in enumerate(text)
        ]
        place += count
    return tuple(letters)
