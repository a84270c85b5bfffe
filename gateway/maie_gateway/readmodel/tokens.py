"""Page tokens: opaque to clients, and good only for the request they came from."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from collections.abc import Sequence
from typing import Any

from google.protobuf.message import Message

from maie_core.errors import StageError, invalid
from maie_core.limits import MAX_PAGE_TOKEN_CHARACTERS
from maie_core.reasons import Reason

CHECK_LENGTH = 8
MAX_INT64 = 2**63 - 1

Key = Sequence[int | float | str]


def page_token(key: Key, tenant: str, request: Message) -> str:
    """The token of the page that begins after `key`.

    Args:
        key: The sort key of the last entry of the page before.
        tenant: Who asks.
        request: What was asked; its page size may change from page to page.
    """
    body = json.dumps(list(key), separators=(",", ":"))
    token = json.dumps([_check(body, tenant, request), body])
    return base64.urlsafe_b64encode(token.encode()).decode()


def page_key(token: str, kinds: Sequence[type], tenant: str, request: Message) -> list[Any]:
    """The key that a token holds.

    Args:
        token: What a client sent.
        kinds: The types of the key's parts.
        tenant: Who asks.
        request: What is asked.

    Raises:
        StageError: INVALID_ARGUMENT with PAGE_TOKEN_INVALID for anything but
            a token of a page of the same request.
    """
    try:
        if len(token) > MAX_PAGE_TOKEN_CHARACTERS:
            raise _refused()
        check, body = json.loads(base64.b64decode(token, altchars=b"-_", validate=True))
        if check != _check(body, tenant, request):
            raise _refused()
        key = json.loads(body)
    except (ValueError, TypeError, AttributeError, RecursionError, binascii.Error) as error:
        raise _refused() from error
    if not isinstance(key, list) or [type(part) for part in key] != list(kinds):
        raise _refused()
    if not all(_storable(part) for part in key):
        raise _refused()
    return key


def _storable(part: float | str) -> bool:
    """Whether a database takes it: the token may be anybody's work."""
    if isinstance(part, str):
        return part.isascii() and part.isprintable()
    return abs(part) <= MAX_INT64


def _check(body: str, tenant: str, request: Message) -> str:
    """Detects mistakes, not attacks: with any token, only the tenant's jobs are read."""
    asked = type(request)()
    asked.CopyFrom(request)
    asked.ClearField("page_size")
    asked.ClearField("page_token")
    digest = hashlib.sha256(f"{body}\0{tenant}\0".encode())
    digest.update(asked.SerializeToString(deterministic=True))
    return digest.hexdigest()[:CHECK_LENGTH]


def _refused() -> StageError:
    return invalid(
        Reason.PAGE_TOKEN_INVALID,
        "The page token is not one of this request; ask for the first page without a token.",
        field="page_token",
    )
