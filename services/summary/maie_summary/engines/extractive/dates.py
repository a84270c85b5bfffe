"""Spoken dates, such as "by next Tuesday"."""

from __future__ import annotations

import re
from datetime import date

_DAY = r"(?:mon|tues|wednes|thurs|fri|satur|sun)day"
_MONTH = (
    r"(?:January|February|March|April|May|June|July|August|September|October|November|December)"
)
_ORDINAL = (
    r"(?:(?:(?:twenty|thirty)[ ])?(?:first|second|third|fourth|fifth|sixth|seventh|eighth|ninth)"
    r"|tenth|eleventh|twelfth|(?:thir|four|fif|six|seven|eigh|nine)teenth|twentieth|thirtieth"
    r"|\d{1,2}(?:st|nd|rd|th))"
)
_PART = r"(?:morning|afternoon|evening|night|noon)"
_SPAN = r"(?:day|week|weekend|month|quarter|year)"
_YEAR = r"(?:,?\ \d{4}\b)?"
_NUMBER = r"(?:an?|one|two|three|four|five|six|seven|eight|nine|ten|a few|\d{1,3})"

# Within a sentence, a month without a capital may be a verb.
_DATE = rf"""(?:
    (?i:(?:next|this|the\ coming)\ )?(?i:{_DAY})
        (?i:,?\ the\ {_ORDINAL})?(?:\ of\ {_MONTH}{_YEAR})?(?i:\ {_PART})?
  | \d{{4}}-\d{{2}}-\d{{2}}
  | (?i:the\ {_ORDINAL})(?:\ of\ {_MONTH}{_YEAR})?
  | {_MONTH}\ (?i:the\ )?(?i:{_ORDINAL}|\d{{1,2}}\b){_YEAR}
  | (?i:{_ORDINAL}|\d{{1,2}})\.?\ (?:of\ )?{_MONTH}{_YEAR}
  | (?i:the\ (?:end|beginning|middle)\ of\ )(?:(?i:(?:the|this|next)\ )?(?i:{_SPAN})|{_MONTH})
  | (?i:tomorrow|today|tonight|midnight|noon)(?i:\ {_PART})?
  | (?i:(?:next|this)\ (?:{_SPAN}|{_PART}))
)\b"""
_BARE_MONTH = rf"(?:(?:next|early|late)\ )?{_MONTH}\b"
_PREPOSITION = r"(?i:by|before|until|till|on|no\ later\ than|not\ later\ than)"
_PHRASE = re.compile(
    rf"""\b(?:
        (?:(?P<preposition>{_PREPOSITION})\ )?(?P<date>{_DATE})
      | (?P<month_preposition>(?i:by|before|until|in))\ (?P<month>{_BARE_MONTH})
      | (?P<within>(?i:(?:in|within)\ {_NUMBER}\ (?:hour|{_SPAN})s?))\b
    )""",
    re.VERBOSE,
)
_MONTHS = _MONTH.removeprefix("(?:").removesuffix(")").split("|")
_UNITS = ["first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth"]
_TEENS = ["tenth", "eleventh", "twelfth", "thirteenth", "fourteenth", "fifteenth", "sixteenth"]
_ORDINALS = [*_UNITS, *_TEENS, "seventeenth", "eighteenth", "nineteenth", "twentieth"]
_ORDINALS += [*(f"twenty {unit}" for unit in _UNITS), "thirtieth", "thirty first"]
# A day, a month and a year: without the year it is no calendar date.
_CALENDAR_DAY = re.compile(
    rf"(?:(?:{_DAY}),? )?(?:the )?(?:(?P<day>{_ORDINAL}|\d{{1,2}})\.? (?:of )?)?(?P<month>{_MONTH})"
    rf"(?: (?:the )?(?P<day_after>{_ORDINAL}|\d{{1,2}}))?,? (?P<year>\d{{4}})",
    re.IGNORECASE,
)
DEADLINES = frozenset({"by", "before", "until", "till", "no later than", "not later than"})


def find_dates(text: str) -> list[str]:
    """The dates in a text, in order, without their prepositions."""
    return [_date(match) for match in _PHRASE.finditer(text)]


def iso_date(said: str) -> str | None:
    """Converts a result of `find_dates` to the form 2026-12-01; None without a year."""
    match = _CALENDAR_DAY.fullmatch(said)
    try:
        if match is None:
            return date.fromisoformat(said).isoformat()
        month = _MONTHS.index(match["month"].capitalize()) + 1
        return date(int(match["year"]), month, _day_of_month(match)).isoformat()
    except ValueError:  # such as "next Tuesday", or the thirtieth of February
        return None


def _day_of_month(match: re.Match[str]) -> int:
    said = match["day"] or match["day_after"] or "0"
    if figures := re.match(r"\d+", said):
        return int(figures[0])
    return _ORDINALS.index(said.lower()) + 1


def split_due(task: str) -> tuple[str, str | None, bool]:
    """Splits the last date off a task.

    Returns:
        The task without the date, the date or None, and whether the date is a
        deadline ("by Friday") rather than a time ("on Friday").
    """
    matches = list(_PHRASE.finditer(task))
    if not matches:
        return task, None, False
    match = matches[-1]
    rest = f"{task[: match.start()].rstrip()} {task[match.end() :].lstrip()}".strip()
    preposition = match["preposition"] or match["month_preposition"] or ""
    return rest, _date(match), preposition.lower() in DEADLINES


def _date(match: re.Match[str]) -> str:
    return match["date"] or match["month"] or match["within"]
