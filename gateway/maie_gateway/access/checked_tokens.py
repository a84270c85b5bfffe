"""Tokens that were checked a moment ago: a client sends the same one with each call."""

from __future__ import annotations

import hashlib
import time
from collections import OrderedDict
from dataclasses import dataclass

from maie_core.caller import Caller

MAX_TOKENS = 4096
"""The most tokens that are remembered; the one that was not used for longest is forgotten."""


@dataclass(kw_only=True, frozen=True, slots=True)
class CheckedToken:
    """What a token said.

    Attributes:
        caller: Who has it, and until when.
        key_id: The key that it is signed by.
    """

    caller: Caller
    key_id: str


class CheckedTokens:
    """Remembers tokens by their hashes, until they expire."""

    def __init__(self) -> None:
        self._tokens: OrderedDict[bytes, CheckedToken] = OrderedDict()

    def find(self, token: str) -> CheckedToken | None:
        """What a token said; None where it was not checked, or has expired."""
        name = _name(token)
        found = self._tokens.get(name)
        if found is None:
            return None
        end = found.caller.expires_at
        if end is not None and end <= time.time():
            del self._tokens[name]
            return None
        self._tokens.move_to_end(name)
        return found

    def keep(self, token: str, checked: CheckedToken) -> None:
        """Remembers a token that is right."""
        self._tokens[_name(token)] = checked
        if len(self._tokens) > MAX_TOKENS:
            self._tokens.popitem(last=False)


def _name(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
