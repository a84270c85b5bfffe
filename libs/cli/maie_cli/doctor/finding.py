"""The result of a check."""

from __future__ import annotations

import enum
from dataclasses import dataclass


class Health(enum.Enum):
    """The state of a checked thing."""

    OK = "ok"
    SOON = "soon"  # well, and not for long: what expires soon
    NOT_OK = "not ok"
    ABSENT = "--"  # absent, and optional


@dataclass(kw_only=True, frozen=True, slots=True)
class Finding:
    """The result of one check.

    Attributes:
        what: The checked thing.
        health: Its state.
        detail: The result in a few words.
        mend: How to fix it; empty if all is well.
    """

    what: str
    health: Health = Health.OK
    detail: str = ""
    mend: str = ""


def bad(what: str, detail: str, mend: str = "") -> Finding:
    """A failed check."""
    return Finding(what=what, health=Health.NOT_OK, detail=detail, mend=mend)
