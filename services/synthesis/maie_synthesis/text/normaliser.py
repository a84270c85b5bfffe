"""Writes out what English readers say for numbers, dates, times, units, symbols and addresses."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator

from maie_synthesis.text import numbers
from maie_synthesis.text.sentences import Span, begins_paragraph, sentences
from maie_synthesis.text.tables import (
    ABBREVIATIONS,
    CURRENCIES,
    LETTERS,
    MONTHS,
    SCALES,
    SYMBOLS,
    UNITS,
)
from maie_synthesis.text.tokens import Piece, Token

Say = Callable[[re.Match[str]], str]

_MONTH = (
    "(?:Jan(?:uary)?|Feb(?:ruary)?|Mar(?:ch)?|Apr(?:il)?|May|June?|July?|Aug(?:ust)?"
    r"|Sep(?:t(?:ember)?)?|Oct(?:ober)?|Nov(?:ember)?|Dec(?:ember)?)\b\.?"
)
_NUMBER = r"(?:[0-9]{1,3}(?:,[0-9]{3})+|[0-9]+)(?:\.[0-9]+)?"
_UNIT = "|".join(re.escape(unit) for unit in sorted(UNITS, key=len, reverse=True))
_SCALE = "thousand|million|billion|trillion|bn|mn|[kKmMbB]"
# In capitals: "NASA" is read as a word, and "USA" and "HTTP" letter by letter.
_LONGEST_INITIALS = 5
_SHORTEST_WORD = 4
_SIGNS = {".": "dot", "/": "slash", "@": "at", "-": "dash", "_": "underscore"}
_VOWELS = frozenset("AEIOUY")
_BEGINS = r"(?<![\w.])"
_ENDS = r"(?![\w])"

_PAUSES = {",": ",", ";": ",", ":": ",", ".": ".", "!": "!", "?": "?", "…": ".", "。": "."}
_PAUSES |= {"！": "!", "？": "?", "—": ",", "–": ",", "،": ","}


def pieces(text: str) -> Iterator[Piece]:
    """The pieces of a text, each in bounded memory, in order.

    Args:
        text: Any text. Markup is text, too: its words are read.
    """
    before: Span | None = None
    for span in sentences(text):
        paragraph = before is not None and begins_paragraph(text, before, span)
        yield piece(text, span, paragraph=paragraph)
        before = span


def piece(text: str, span: Span, *, paragraph: bool = False) -> Piece:
    """A sentence as words that can be spoken."""
    tokens: list[Token] = []
    left_out = 0
    symbols = False
    for found in _PATTERN.finditer(text[span.start : span.end]):
        kind = str(found.lastgroup)
        if kind == "other":
            category = unicodedata.category(found[0])[0]
            left_out += category in "LN"
            symbols |= category in "LNS"
            continue
        if kind == "pause":
            if tokens:
                last = tokens[-1]
                tokens[-1] = Token(
                    start=last.start, end=last.end, words=last.words, pause=_PAUSES[found[0]]
                )
            continue
        symbols = True
        if words := _plain(_SAYS[kind](found)):
            start, end = span.start + found.start(), span.start + found.end()
            tokens.append(Token(start=start, end=end, words=words))
        elif kind == "word":
            left_out += len(found[0])
    return Piece(
        start=span.start,
        end=span.end,
        tokens=tuple(tokens),
        left_out=left_out,
        symbols=symbols,
        paragraph=paragraph,
    )


def _plain(words: str) -> str:
    """Words in a to z; empty where there is a letter that has no such form."""
    lower = "".join(LETTERS.get(each, each) for each in words.lower().replace("’", "'"))
    plain = "".join(
        each for each in unicodedata.normalize("NFKD", lower) if not unicodedata.combining(each)
    )
    if any(each.isalpha() and not "a" <= each <= "z" for each in plain):
        return ""
    kept = re.sub(r"[^a-z' ]", "", plain)
    return " ".join(word.strip("'") for word in kept.split() if word.strip("'"))


def _amount(number: str) -> str:
    return numbers.decimal(number)


def _is_one(number: str) -> bool:
    return number == "1"


def _say_address(found: re.Match[str]) -> str:
    bare = re.sub(r"^https?://(www\.)?|^www\.", "", found[0].rstrip("/"))
    said = re.sub(r"[0-9]+", lambda each: f" {numbers.cardinal(each[0])} ", bare)
    for sign, name in _SIGNS.items():
        said = said.replace(sign, f" {name} ")
    return re.sub(r"[^\w' ]", " ", said)


def _say_time(found: re.Match[str]) -> str:
    hour, minute, half = found["hour"], found["minute"], found["half"]
    said = numbers.cardinal(str(int(hour)))
    if minute and int(minute):
        said += f" {'oh ' if minute.startswith('0') else ''}{numbers.cardinal(str(int(minute)))}"
    elif not half and int(hour) <= 12:
        said += " o'clock"
    elif not half:
        said += " hundred"
    if half:
        said += f" {'ay' if half[0].lower() == 'a' else 'p'} m"
    return said


def _date(month: str, day: str, year: str | None) -> str:
    said = f"{month} {numbers.ordinal(day)}"
    return f"{said} {_year(year)}" if year else said


def _year(digits: str) -> str:
    return numbers.year(digits) if "1100" <= digits <= "2099" else numbers.cardinal(digits)


def _say_iso(found: re.Match[str]) -> str:
    names = list(MONTHS.values())
    return _date(names[int(found["iso_month"]) - 1], found["iso_day"], found["iso_year"])


def _say_month_day(found: re.Match[str]) -> str:
    return _date(MONTHS[found["md_month"][:3].lower()], found["md_day"], found["md_year"])


def _say_day_month(found: re.Match[str]) -> str:
    return _date(MONTHS[found["dm_month"][:3].lower()], found["dm_day"], found["dm_year"])


def _say_money(found: re.Match[str]) -> str:
    one, several, cent, cents = CURRENCIES[found["sign"]]
    number, scale = found["money"], found["money_scale"]
    if scale:
        return f"{_amount(number)} {SCALES[scale.lower()]} {several}"
    whole, _, part = number.replace(",", "").partition(".")
    if len(part) != 2:
        return f"{_amount(number)} {one if _is_one(number) else several}"
    said = f"{numbers.cardinal(whole)} {one if _is_one(whole) else several}"
    if part == "00":
        return said
    return f"{said} and {numbers.cardinal(str(int(part)))} {cent if part == '01' else cents}"


def _say_measure(found: re.Match[str]) -> str:
    one, several = UNITS[found["unit"]]
    return f"{_signed(found['measure'])} {one if _is_one(found['measure']) else several}"


def _say_scaled(found: re.Match[str]) -> str:
    return f"{_amount(found['scaled'])} {SCALES[found['scale'].lower()]}"


def _signed(number: str) -> str:
    return f"minus {_amount(number[1:])}" if number[0] in "-−" else _amount(number)


def _say_range(found: re.Match[str]) -> str:
    first, last = found["first"], found["last"]
    say = _year if len(first) == len(last) == 4 else numbers.cardinal
    return f"{say(first)} to {say(last)}"


def _say_fraction(found: re.Match[str]) -> str:
    above, below = found["above"], found["below"]
    if below == "2":
        return f"{numbers.cardinal(above)} {'half' if _is_one(above) else 'halves'}"
    if below == "4":
        return f"{numbers.cardinal(above)} {'quarter' if _is_one(above) else 'quarters'}"
    if int(below) in range(3, 11) and int(above) < int(below):
        return f"{numbers.cardinal(above)} {numbers.ordinal(below)}{'' if _is_one(above) else 's'}"
    return f"{numbers.cardinal(above)} over {numbers.cardinal(below)}"


def _say_decade(found: re.Match[str]) -> str:
    decade = found["decade"]
    said = numbers.cardinal(decade) if len(decade) == 2 else _year(decade)
    return f"{said[:-1]}ies" if said.endswith("y") else f"{said}s"


def _say_version(found: re.Match[str]) -> str:
    return " point ".join(numbers.cardinal(part) for part in found[0].split("."))


def _say_phone(found: re.Match[str]) -> str:
    return "plus " + numbers.one_by_one(re.sub(r"[^0-9]", "", found[0]))


def _say_number(found: re.Match[str]) -> str:
    number = found[0]
    return _year(number) if re.fullmatch("(1[1-9]|20)[0-9]{2}", number) else _signed(number)


def _say_word(found: re.Match[str]) -> str:
    word = found[0]
    initials = 1 < len(word) <= _LONGEST_INITIALS and word.isascii() and word.isupper()
    if not initials or (len(word) >= _SHORTEST_WORD and _VOWELS & set(word)):
        return word
    # The letter A alone is an article.
    return " ".join("ay" if letter == "A" else letter for letter in word)


_FORMS: list[tuple[str, str, Say]] = [
    (
        "address",
        r"(?:https?://|www\.)[^\s<>\"]*[\w/]|(?<!\S)[\w.+-]+@[\w-]+(?:\.[\w-]+)+",
        _say_address,
    ),
    (
        "iso",
        r"(?P<iso_year>[0-9]{4})-(?P<iso_month>0[1-9]|1[0-2])-(?P<iso_day>0[1-9]|[12][0-9]|3[01])",
        _say_iso,
    ),
    (
        "clock",
        (
            r"(?P<hour>[01]?[0-9]|2[0-4])(?::(?P<minute>[0-5][0-9])(?::[0-5][0-9])?)"
            r"(?:\s?(?P<half>[aApP]\.?[mM]\b(?:\.(?=\s+[a-z0-9]))?))?"
        ),
        _say_time,
    ),
    (
        "hours",
        r"(?P<bare_hour>1[0-2]|[1-9])\s?(?P<bare_half>[aApP]\.?[mM]\b(?:\.(?=\s+[a-z0-9]))?)",
        lambda found: (
            f"{numbers.cardinal(found['bare_hour'])} "
            f"{'ay' if found['bare_half'][0].lower() == 'a' else 'p'} m"
        ),
    ),
    (
        "month_day",
        (
            rf"(?P<md_month>{_MONTH})\s(?P<md_day>3[01]|[12][0-9]|0?[1-9])(?:st|nd|rd|th)?"
            r"(?![\w])(?:,?\s(?P<md_year>[0-9]{4}))?"
        ),
        _say_month_day,
    ),
    (
        "day_month",
        (
            rf"(?P<dm_day>3[01]|[12][0-9]|0?[1-9])(?:st|nd|rd|th)?\s(?P<dm_month>{_MONTH})"
            r"(?:,?\s(?P<dm_year>[0-9]{4}))?"
        ),
        _say_day_month,
    ),
    (
        "money_form",
        rf"(?P<sign>[$€£¥])\s?(?P<money>{_NUMBER})(?:\s?(?P<money_scale>{_SCALE})\b)?",
        _say_money,
    ),
    ("version", r"[0-9]+(?:\.[0-9]+){2,}", _say_version),
    ("phone", r"\+[0-9][0-9 ()-]{5,20}[0-9]", _say_phone),
    ("decade_form", r"(?P<decade>(?:1[1-9]|20)?[0-9]0)s", _say_decade),
    ("measure_form", rf"(?P<measure>[-−]?{_NUMBER})\s?(?P<unit>{_UNIT})", _say_measure),
    ("scaled_form", rf"(?P<scaled>{_NUMBER})(?:\s|(?=[kKmMbB]))(?P<scale>{_SCALE})", _say_scaled),
    ("range", r"(?P<first>[0-9]+)\s?[-–—]\s?(?P<last>[0-9]+)", _say_range),
    ("fraction", r"(?P<above>[0-9]{1,3})/(?P<below>[1-9][0-9]{0,3})(?!/)", _say_fraction),
    ("nth", r"(?P<place>[0-9]+)(?:st|nd|rd|th)", lambda found: numbers.ordinal(found["place"])),
    ("number", rf"[-−]?{_NUMBER}", _say_number),
    ("place_number", r"No\.(?=\s?[0-9])", lambda _: "number"),
]
_LOOSE: list[tuple[str, str, Say]] = [
    ("digits", r"[0-9]+", lambda found: numbers.cardinal(found[0])),
    (
        "short",
        r"(?<![\w.])(?i:" + "|".join(map(re.escape, ABBREVIATIONS)) + r")\.(?=[\s,;:)]|\Z)",
        lambda found: ABBREVIATIONS[found[0][:-1].lower()],
    ),
    (
        "symbol",
        # Between words; elsewhere they are markup.
        r"(?<!\S)[<>](?!\S)|\#(?=[0-9])|[" + re.escape("".join(SYMBOLS.keys() - {*"<>#"})) + "]",
        lambda found: SYMBOLS[found[0]],
    ),
    ("word", r"[^\W\d_]+(?:['’][^\W\d_]+)*", _say_word),
]
_SAYS: dict[str, Say] = {name: say for name, _, say in (*_FORMS, *_LOOSE)}


def _pattern() -> re.Pattern[str]:
    strict = [f"(?P<{name}>{_BEGINS}(?:{form}){_ENDS})" for name, form, _ in _FORMS]
    loose = [f"(?P<{name}>{form})" for name, form, _ in _LOOSE]
    marks = re.escape("".join(_PAUSES.keys() - {".", ":"}))
    # A dot or colon within a name or a number is no pause.
    pause = rf"(?P<pause>[{marks}]|[.:](?!\w))"
    return re.compile("|".join([*strict, *loose, pause, r"(?P<other>\S)"]))


_PATTERN = _pattern()
