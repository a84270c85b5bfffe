"""English words as Kokoro's phonemes, by misaki's dictionaries and no code of others.

misaki itself falls back on espeak-ng, which is under the GPL. Here a word that the dictionaries do
not have is an inflection or a compound of words that they do have, or else is spelled.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import pairwise

from maie_synthesis.text.tokens import Token

Lexicon = Mapping[str, str]
"""Phonemes by word; capital letters are the names of letters."""

_VOWELS = frozenset("AIOQWYaiuæɑɐɒəɚɛɜɪɔʊʌᵊᵻ")
_STRESS = "ˈˌ"
_SHORTEST_PART = 3


def phonemes(tokens: tuple[Token, ...], lexicon: Lexicon) -> Iterator[str]:
    """The phonemes of each token, with the mark of its pause."""
    words = [[_found(word, lexicon) for word in token.words.split()] for token in tokens]
    firsts = [each[0] for each in words[1:]] + [""]
    for token, own, following in zip(tokens, words, firsts, strict=True):
        said = token.words.split()
        sounds = [
            _weak(word, sound, after)
            for word, (sound, after) in zip(said, pairwise([*own, following]), strict=True)
        ]
        yield " ".join(sounds) + token.pause


def _weak(word: str, sound: str, following: str) -> str:
    """A word as it is said before another one."""
    before_vowel = following.lstrip(_STRESS)[:1] in _VOWELS
    match word:
        case "a":
            return "ɐ"
        case "the":
            return "ði" if before_vowel else "ðə"
        case "to":
            return "tʊ" if before_vowel or not following else "tə"
    return sound


def _found(word: str, lexicon: Lexicon) -> str:
    return _known(word, lexicon) or _compound(word, lexicon) or _spelled(word, lexicon)


def _known(word: str, lexicon: Lexicon) -> str:
    """A word of the dictionary, or an inflection of one; empty where it is none."""
    if len(word) == 1 and word not in ("a", "i"):
        return lexicon.get(word.upper(), "")
    if word == "ay":
        return lexicon.get("A", "")
    return lexicon.get(word) or lexicon.get(word.capitalize()) or _inflected(word, lexicon)


def _inflected(word: str, lexicon: Lexicon) -> str:
    for ending, stems, said in (
        ("'s", (word[:-2],), _plural),
        ("s'", (word[:-2], word[:-1]), _plural),
        ("ies", (f"{word[:-3]}y",), _plural),
        ("es", (word[:-1], word[:-2]), _plural),
        ("s", (word[:-1],), _plural),
        ("ed", (word[:-1], word[:-2], word[:-3]), _past),
        ("ing", (word[:-3], f"{word[:-3]}e", word[:-4]), lambda stem: f"{stem}ɪŋ"),
        ("ly", (word[:-2],), lambda stem: f"{stem}li"),
    ):
        if word.endswith(ending):
            for stem in stems:
                if len(stem) > 1 and (found := lexicon.get(stem)):
                    return said(found)
    return ""


def _plural(stem: str) -> str:
    if stem[-1] in "ptkfθ":
        return f"{stem}s"
    return f"{stem}ᵻz" if stem[-1] in "szʃʒʧʤ" else f"{stem}z"


def _past(stem: str) -> str:
    if stem[-1] in "pkfθʃsʧ":
        return f"{stem}t"
    return f"{stem}ᵻd" if stem[-1] in "td" else f"{stem}d"


def _compound(word: str, lexicon: Lexicon) -> str:
    """A word of two known ones, the longest first one that leaves another."""
    for place in range(len(word) - _SHORTEST_PART, _SHORTEST_PART - 1, -1):
        first, last = lexicon.get(word[:place]), _known(word[place:], lexicon)
        if first and last:
            return first + last.replace("ˈ", "ˌ")
    return ""


def _spelled(word: str, lexicon: Lexicon) -> str:
    return " ".join(lexicon.get(letter.upper(), "") for letter in word if letter != "'")
