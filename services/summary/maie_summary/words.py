"""Content words of texts, in any language and script."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from functools import cache
from itertools import groupby, pairwise

import stopwordsiso
from py3langid.langid import MODEL_FILE, LanguageIdentifier

from maie_summary.stop_words import ENGLISH_STOP_WORDS

# Unicode blocks of scripts without spaces between words, or with very many word endings:
# Thai to Lao, Burmese, Hangul letters, Khmer, Japanese syllables to Chinese characters, Hangul.
_DENSE = (
    *((0x0E00, 0x0EFF), (0x1000, 0x109F), (0x1100, 0x11FF), (0x1780, 0x17FF)),
    *((0x3040, 0x9FFF), (0xAC00, 0xD7AF), (0xF900, 0xFAFF), (0x20000, 0x3FFFF)),
)
# In Japanese, content words are written in other characters.
_HIRAGANA = (0x3040, 0x309F)
SURE = 0.99
# The language of a shorter text cannot be detected.
LEAST_CHARS = 60
MOST_CHARS = 4000
# Content words in the list of stop words.
TELLING = frozenset({"amount", "bill", "computer", "detail", "fire", "interest", "mill", "system"})
# Words about the conversation itself, not its content.
ABOUT_TALKS = frozenset(
    {"conversation", "discuss", "discussed", "discussion", "meeting", "participants", "recording"}
    | {"speaker", "speakers", "talk", "talked", "talking", "talks", "thing", "things", "various"}
)
STEM = 4
"""Words with a common prefix of this many letters are similar."""
MOST_ENDING = 3
_FIRST_MARK, _LAST_MARK = 0x0300, 0x20000


def words_in(text: str) -> Iterator[str]:
    """All words of a text, casefolded; character bigrams for scripts without spaces."""
    folded = unicodedata.normalize("NFKC", text).casefold().replace("’", "'").replace("_", " ")
    for run in _runs().findall(folded):
        yield from (run,) if run.isascii() else _split(run)


def content_words(text: str, language_code: str) -> list[str]:
    """The content words of a text.

    Args:
        text: The text.
        language_code: As a BCP-47 tag; if it is empty or has no list of stop words, every word
            counts.
    """
    stop_words = stop_words_of(language_code)
    return [word for word in words_in(text) if _is_content(word) and word not in stop_words]


def is_dense(word: str) -> bool:
    """Whether a word is of a script that is compared by character bigrams."""
    return any(low <= ord(word[0]) <= high for low, high in _DENSE)


class Vocabulary:
    """The words of a text, for exact and similar matches.

    Args:
        text: The text.

    Attributes:
        words: All of its words.
    """

    def __init__(self, text: str) -> None:
        self.words = frozenset(words_in(text))
        self._stems: dict[str, list[str]] = {}
        for word in self.words:
            if len(word) >= STEM and not is_dense(word):
                self._stems.setdefault(word[:STEM], []).append(word)

    def has(self, word: str) -> bool:
        """Whether it has a word, or the same word with another ending."""
        same = self._stems.get(word[:STEM], ()) if len(word) >= STEM else ()
        return word in self.words or any(_differs_in_ending(word, other) for other in same)

    def has_like(self, word: str) -> bool:
        """Whether it has a word with the same prefix, or one that contains the other.

        "Decision" is similar to "decide", and "Stadtbibliothek" to "Bibliothek". Only for a
        few lines: among many words, every word has a similar one.
        """
        if word in self.words or (len(word) >= STEM and word[:STEM] in self._stems):
            return True
        others = (other for stems in self._stems.values() for other in stems)
        return any(_contains(word, other) or _contains(other, word) for other in others)


@cache
def stop_words_of(language_code: str) -> frozenset[str]:
    """The stop words of a language; empty if there is no list."""
    base = base_language(language_code)
    if base == "en":
        # The other English list, of 1298 words, contains "website" and "research".
        return ENGLISH_STOP_WORDS - TELLING | ABOUT_TALKS
    return frozenset(stopwordsiso.stopwords(base) if stopwordsiso.has_lang(base) else ())


def base_language(language_code: str) -> str:
    """The language of a BCP-47 tag, without region or script."""
    return language_code.replace("_", "-").partition("-")[0].lower()


def _differs_in_ending(word: str, other: str) -> bool:
    same = max(len(word), len(other)) - MOST_ENDING
    return len(word) >= same and word[:same] == other[:same]


def _contains(whole: str, part: str) -> bool:
    return len(part) > STEM and part in whole and not is_dense(part)


def _split(run: str) -> Iterator[str]:
    for dense, group in groupby(run, is_dense):
        characters = "".join(group)
        if dense and len(characters) > 1:
            yield from map("".join, pairwise(characters))
        else:
            yield characters


def guessed_language(text: str, otherwise: str) -> str:
    """The detected language of a text; `otherwise` if that is not certain.

    Returns:
        An ISO 639-1 code.
    """
    if len(text) < LEAST_CHARS:
        return otherwise
    language, sure = _identifier().classify(text[:MOST_CHARS])
    return str(language) if sure >= SURE else otherwise


def likeliest_language(text: str) -> str:
    """The most probable language of a text, however uncertain."""
    return str(_identifier().classify(text[:MOST_CHARS])[0])


def _is_content(word: str) -> bool:
    if is_dense(word):
        low, high = _HIRAGANA
        return not all(low <= ord(character) <= high for character in word)
    return len(word) > 1 or word.isdecimal()


@cache
def _identifier() -> LanguageIdentifier:
    return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)


@cache
def _runs() -> re.Pattern[str]:
    """Letters, digits and the combining marks of scripts such as Devanagari."""
    marks = (chr(code) for code in range(_FIRST_MARK, _LAST_MARK))
    kept = "".join(mark for mark in marks if unicodedata.category(mark).startswith("M"))
    part = rf"[\w{re.escape(kept)}]+"
    return re.compile(rf"{part}(?:'{part})*")
