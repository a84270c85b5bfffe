"""Numbers as English words."""

from __future__ import annotations

from functools import cache

import inflect

# Beyond a quadrillion nobody follows a number; it is read digit by digit.
MAX_DIGITS = 15
_DIGITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")


def cardinal(digits: str) -> str:
    """A whole number, such as "one hundred twenty three"; longer ones digit by digit.

    Args:
        digits: 0 to 9, at least one.
    """
    if len(digits) > MAX_DIGITS or (len(digits) > 1 and digits.startswith("0")):
        return one_by_one(digits)
    return _words(str(int(digits)))


def ordinal(digits: str) -> str:
    """A place in an order, such as "twenty first"."""
    if len(digits) > MAX_DIGITS:
        return one_by_one(digits)
    return _words(str(_engine().ordinal(str(int(digits)))))


def one_by_one(digits: str) -> str:
    """Each digit."""
    return " ".join(_DIGITS[int(digit)] for digit in digits)


def decimal(text: str) -> str:
    """A number with separators of thousands and decimals, such as "1,234.50"."""
    whole, point, rest = text.replace(",", "").partition(".")
    return f"{cardinal(whole)} point {one_by_one(rest)}" if point else cardinal(whole)


def year(digits: str) -> str:
    """A year of four digits, such as "nineteen eighty four"."""
    century, rest = int(digits[:2]), int(digits[2:])
    if rest == 0:
        return f"{_words(digits[:2])} hundred" if century % 10 else cardinal(digits)
    if century == 20 and rest < 10:
        return f"two thousand {_DIGITS[rest]}"
    return f"{_words(str(century))} {'oh ' if rest < 10 else ''}{_words(str(rest))}"


def _words(number: str) -> str:
    found = str(_engine().number_to_words(number, andword="", comma=""))
    return " ".join(found.replace("-", " ").split())


@cache
def _engine() -> inflect.engine:
    return inflect.engine()
