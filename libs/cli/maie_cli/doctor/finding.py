"""What a check found."""

from __future__ import annotations

import enum
from dataclasses import dataclass


class Health(enum.Enum):
    """How it stands with one thing."""

    OK = "ok"
    NOT_OK = "not ok"
    ABSENT = "--"  # not there, and need not be


@dataclass(kw_only=True, frozen=True, slots=True)
class Finding:
    """One thing that was looked at.

    Attributes:
        what: The thing.
        health: How it stands with it.
        detail: What was seen, in a few words.
        mend: How to mend it; empty where all is well.
    """

    what: str
    health: Health = Health.OK
    detail: str = ""
    mend: str = ""


def bad(what: str, detail: str, mend: str = "") -> Finding:
    """Something that is not well."""
    return Finding(what=what, health=Health.NOT_OK, detail=detail, mend=mend)
