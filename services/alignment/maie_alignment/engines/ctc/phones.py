"""The phones of English words in the symbols of models that write IPA."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

from maie_alignment.engines.embedded.letters import LetterSounds, letter_sounds, pronounce

# What models call each sound of ARPAbet: they differ in whether they write vowels that are not
# stressed in a way of their own, and how they write r.
IPA: Mapping[str, tuple[str, ...]] = {
    "AA": ("ɑ", "ɑː", "ɒ"),
    "AE": ("æ",),
    "AH": ("ʌ", "ə", "ɐ"),
    "AO": ("ɔ", "ɔː", "ɑ"),
    "AW": ("aʊ",),
    "AY": ("aɪ",),
    "B": ("b",),
    "CH": ("t͡ʃ", "tʃ"),
    "D": ("d", "d̪", "ɾ"),
    "DH": ("ð",),
    "EH": ("ɛ", "e"),
    "ER": ("ɝ", "ɚ", "ɜː", "ɜ"),
    "EY": ("eɪ",),
    "F": ("f",),
    "G": ("ɡ", "g"),
    "HH": ("h",),
    "IH": ("ɪ", "ᵻ"),
    "IY": ("i", "iː"),
    "JH": ("d͡ʒ", "dʒ"),
    "K": ("k",),
    "L": ("l", "ɫ"),
    "M": ("m",),
    "N": ("n",),
    "NG": ("ŋ",),
    "OW": ("oʊ",),
    "OY": ("ɔɪ",),
    "P": ("p",),
    "R": ("ɹ", "r"),
    "S": ("s",),
    "SH": ("ʃ",),
    "T": ("t", "ɾ"),
    "TH": ("θ",),
    "UH": ("ʊ",),
    "UW": ("u", "uː"),
    "V": ("v",),
    "W": ("w",),
    "Y": ("j",),
    "Z": ("z",),
    "ZH": ("ʒ",),
}


class Pronunciations:
    """How words are spoken, by a dictionary, and by rules where it does not have them.

    Args:
        dictionary: Phones by word.
        rules: How letters are spoken.
    """

    def __init__(self, dictionary: Mapping[str, str], rules: LetterSounds) -> None:
        self._dictionary = dictionary
        self._rules = rules

    def known(self, word: str) -> bool:
        """Whether the dictionary has a word."""
        return word in self._dictionary

    def phones(self, word: str) -> list[str]:
        """The phones of a word; empty where nobody can speak it."""
        if found := self._dictionary.get(word):
            return found.split()
        if guessed := pronounce(word, self._rules):
            return guessed
        return [phone for letter in word for phone in self._dictionary.get(letter, "").split()]


@lru_cache(maxsize=1)
def english(path: Path) -> Pronunciations:
    """Reads pocketsphinx's dictionary: a word and its phones in each line."""
    dictionary: dict[str, str] = {}
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            word, _, phones = line.strip().partition(" ")
            # Other pronunciations of a word are "word(2)"; the first one is the usual one.
            if phones and "(" not in word:
                dictionary[word] = phones
    return Pronunciations(dictionary, letter_sounds())
