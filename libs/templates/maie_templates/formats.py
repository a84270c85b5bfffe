"""The string formats that a schema may use, and validators for them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from fqdn import FQDN
from jsonschema import Draft202012Validator, FormatChecker

FORMATS = frozenset(
    {"date", "date-time", "time", "duration", "email", "hostname", "ipv4", "ipv6", "uri", "uuid"}
)
"""The formats that both back ends and validators support."""

_ADDRESS = re.compile(r"[^\s@\"(),:;<>\[\\\]]{1,64}@(?P<host>[^\s@]+)")


def validator(schema: Mapping[str, Any]) -> Draft202012Validator:
    """A validator that also checks formats, which jsonschema does not do by default.

    Args:
        schema: A schema whose formats are all among `FORMATS`.
    """
    return Draft202012Validator(schema, format_checker=_CHECKER)


def _is_email(value: object) -> bool:
    """Whether a value is a valid email address; jsonschema accepts any text with an @."""
    if not isinstance(value, str):
        return True
    address = _ADDRESS.fullmatch(value)
    return address is not None and FQDN(address["host"], min_labels=1).is_valid


def _checker() -> FormatChecker:
    checker = FormatChecker(())
    # A missing package would silently drop a format: a KeyError names it.
    known = Draft202012Validator.FORMAT_CHECKER.checkers
    checker.checkers = {name: known[name] for name in FORMATS}
    checker.checks("email")(_is_email)
    return checker


_CHECKER = _checker()
