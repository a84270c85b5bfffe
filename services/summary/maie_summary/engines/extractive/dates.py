"""Dates as people say them, such as "by next Tuesday"."""

from __future__ import annotations

import re

_DAY = r"(?:mon|tues|wednes|thurs|fri|satur|sun)day"
_MONTH = (
    r"(?:January|February|March|April|May|June|July|August|September|October|November|December)"
)
_ORDINAL = (
    r"(?:(?:twenty |thirty )?(?:first|second|third|fourth|fifth|sixth|seventh|eighth|ninth)"
    r"|tenth|eleventh|twelfth|(?:thir|four|fif|six|seven|eigh|nine)teenth|twentieth|thirtieth"
    r"|\d{1,2}(?:st|nd|rd|th))"
)
_PART = r"(?:morning|afternoon|evening|night|noon)"
_SPAN = r"(?:day|week|weekend|month|quarter|year)"
_NUMBER = r"(?:an?|one|two|three|four|five|six|seven|eight|nine|ten|a few|\d{1,3})"

# Within a sentence months have a capital, or they may be verbs.
_DATE = rf"""(?:
    (?i:(?:next|this|the\ coming)\ )?(?i:{_DAY})
        (?i:,?\ the\ {_ORDINAL})?(?:\ of\ {_MONTH})?(?i:\ {_PART})?
  | (?i:the\ {_ORDINAL})(?:\ of\ {_MONTH})?
  | {_MONTH}\ (?i:the\ )?(?i:{_ORDINAL}|\d{{1,2}}\b)
  | \d{{1,2}}\ {_MONTH}
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
DEADLINES = frozenset({"by", "before", "until", "till", "no later than", "not later than"})


def find_dates(text: str) -> list[str]:
    """The dates that a text names, in order, without their prepositions."""
    return [_date(match) for match in _PHRASE.finditer(text)]


def split_due(task: str) -> tuple[str, str | None, bool]:
    """Takes the last date out of a task.

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
