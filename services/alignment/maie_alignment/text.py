"""The words of a text, and how they are spoken."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

import inflect

# What is written short and spoken long; and what ends with a stop that ends no sentence.
_SHORT = {"mr": "mister", "mrs": "missus", "dr": "doctor", "vs": "versus", "&": "and"}
_TOKEN = re.compile(r"[^\s—–]+")
_EDGES = re.compile(r"^[^\w&]+|[^\w&%]+$")
_PHRASE_END = re.compile(r"[.,;:!?…]['\")\]’”]*$")
_DASH_NEXT = re.compile(r"\s*[—–]")
_NUMBER = re.compile(r"(\d[\d,]*)(?:\.(\d+))?(st|nd|rd|th|%)?$")
# Other numbers of four digits are read as numbers: 2005 and 1000.
_YEAR = re.compile(r"1[1-9]\d\d|20[1-9]\d")
# Longer numbers are read digit by digit.
MAX_DIGITS = 12


@dataclass(kw_only=True, frozen=True, slots=True)
class TextWord:
    """A word of a text.

    Attributes:
        text: As the text has it, without punctuation around it.
        offset: Where it begins, in characters.
        spoken: The words that are spoken for it, in lower case: "cold-hearted" is two.
        ends_phrase: Whether punctuation after it asks for a pause.
    """

    text: str
    offset: int
    spoken: tuple[str, ...]
    ends_phrase: bool


def text_words(text: str) -> list[TextWord]:
    """The words of a text; what has no letter or digit is none."""
    return list(_words(text))


def spoken_forms(word: str) -> tuple[str, ...]:
    """The words that are spoken for what is written between two spaces, in lower case."""
    lower = word.lower().replace("’", "'")
    forms: list[str] = []
    for part in re.split(r"[-/_]+", lower):
        bare = _EDGES.sub("", part)
        if number := _NUMBER.match(bare):
            forms += _number(number)
        elif bare:
            # A letter or sign at a time where it is neither word nor number, such as "3d".
            pieces = re.findall(r"\d+|[^\W\d_']+(?:'[^\W\d_]+)*'?|&", bare)
            for piece in pieces:
                known = _NUMBER.match(piece)
                forms += _number(known) if known else [_SHORT.get(piece, piece.strip("'"))]
    return tuple(form for form in forms if form)


def _words(text: str) -> Iterator[TextWord]:
    for token in _TOKEN.finditer(text):
        spoken = spoken_forms(token.group())
        if not spoken:
            continue
        bare = _EDGES.sub("", token.group())
        lead = re.match(r"[^\w&]*", token.group())
        short = bare.lower() in _SHORT
        ends = bool(_PHRASE_END.search(token.group())) and not short
        yield TextWord(
            text=bare,
            offset=token.start() + (lead.end() if lead else 0),
            spoken=spoken,
            ends_phrase=ends or bool(_DASH_NEXT.match(text, token.end())),
        )


def _number(match: re.Match[str]) -> list[str]:
    whole, decimals, suffix = match.groups()
    digits = whole.replace(",", "")
    if len(digits) > MAX_DIGITS or (len(digits) > 1 and digits[0] == "0"):
        spoken = _one_by_one(digits)
    elif suffix and suffix != "%":
        spoken = _in_words(_engine().ordinal(digits))
    elif _YEAR.fullmatch(whole):
        spoken = _year(digits)
    else:
        spoken = _in_words(digits)
    if decimals:
        spoken += f" point {_one_by_one(decimals)}"
    if suffix == "%":
        spoken += " percent"
    return re.findall(r"[a-z]+", spoken)


def _year(digits: str) -> str:
    century, rest = digits[:2], digits[2:]
    if rest == "00":
        return f"{_in_words(century)} hundred"
    return f"{_in_words(century)} {'oh ' if rest[0] == '0' else ''}{_in_words(str(int(rest)))}"


def _one_by_one(digits: str) -> str:
    return " ".join(map(_in_words, digits))


def _in_words(number: str) -> str:
    return str(_engine().number_to_words(number, andword=""))


@cache
def _engine() -> inflect.engine:
    return inflect.engine()
