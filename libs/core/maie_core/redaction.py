"""Takes secrets out of texts that are logged or printed.

Code says nothing secret by itself. This is for what it cannot foresee: the messages of libraries,
which may repeat a URL with its password, or a header with its token.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, quote, unquote

FILE = "_FILE"
"""How variables end that name a file with a secret."""
SHOWN = "**********"
"""What stands for a secret where it is printed."""
LEAST_CHARACTERS = 8
"""Shorter secrets are found in URLs only: elsewhere they could be words like any other."""
# A file with more holds no secret, such as a list of certificates.
MOST_BYTES = 64 * 1024
# How variables end whose value is a secret, and names of secrets within URLs and JSON.
_SECRET = re.compile(
    r"(secret|token|password|passwd|passphrase|credentials?|signature|headers"
    r"|(api|access|secret|private|master|bootstrap|session)_?key|access_key_id|nkey)$",
    re.IGNORECASE,
)
# How variables end whose value may have a secret in it.
_HOLDER = re.compile(r"(url|proxy|from|endpoint|tenants)$", re.IGNORECASE)
_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*", re.IGNORECASE)
_AFTER_ADDRESS = re.compile(r"[/?#]")
_PLACE = re.compile(r"(\[[0-9a-f:.]*\]|[\w.-]*)(:\d{1,5})?", re.IGNORECASE)
_USER_IN_TEXT = re.compile(r"(?<=://)[^\s/?#@\"'<>]+(?=@)")
_BETWEEN_HEADERS = re.compile(r"[,\r\n]")


class Redactor:
    """Replaces secrets in texts by asterisks, and users and passwords in whatever is a URL.

    Args:
        secrets: The secrets; those of fewer than LEAST_CHARACTERS are left out.
    """

    def __init__(self, secrets: Iterable[str]) -> None:
        forms = {form for each in secrets if len(each) >= LEAST_CHARACTERS for form in _forms(each)}
        longest_first = sorted(forms, key=len, reverse=True)
        self._secrets = re.compile("|".join(map(re.escape, longest_first))) if forms else None

    def __call__(self, text: str) -> str:
        """The text without secrets."""
        if "://" in text:
            text = without_user(text)
        return self._secrets.sub(SHOWN, text) if self._secrets else text


def environment_redactor(environment: Mapping[str, str] = os.environ) -> Redactor:
    """Knows the secrets of variables, and of the files that `NAME_FILE` names, by their names."""
    return Redactor(
        secret
        for name, value in environment.items()
        for secret in _secrets_of(name, value, is_file=_is_file(name))
    )


def masked_url(url: str) -> str:
    """A URL, or what was given as one, with asterisks for all but scheme, host and port."""
    scheme, found, rest = url.partition("://")
    if not found or not _SCHEME.fullmatch(scheme):
        return SHOWN
    # A password with a # or ? in it ends at the last @ all the same.
    user, _, place = rest.rpartition("@")
    address = _AFTER_ADDRESS.split(place, maxsplit=1)[0]
    shown = address if _PLACE.fullmatch(address) else SHOWN
    after = place[len(address) :]
    return f"{scheme}://{f'{SHOWN}@' if user else ''}{shown}{f'{after[0]}{SHOWN}' if after else ''}"


def without_user(text: str) -> str:
    """A text with asterisks for users and passwords in whatever is a URL in it."""
    return _USER_IN_TEXT.sub(SHOWN, text)


def names_user(url: str) -> bool:
    """Whether a URL has a user or a password."""
    return bool(_USER_IN_TEXT.search(url))


def _is_file(name: str) -> bool:
    variable = name.upper().removesuffix(FILE)
    return variable != name.upper() and bool(_SECRET.search(variable) or _HOLDER.search(variable))


def _secrets_of(name: str, value: str, *, is_file: bool) -> Iterator[str]:
    if is_file:
        name, value = name.upper().removesuffix(FILE), _content(value)
    value = value.strip()
    if value.startswith(("{", "[")):
        yield from _in_json(value)
        return
    yield from _in_urls(value)
    if _HOLDER.search(name) and "://" not in value:
        yield from _in_urls(f"http://{value}")
    if _SECRET.search(name) and "://" not in value:
        yield value
        yield from _in_headers(value)


def _content(file: str) -> str:
    try:
        with Path(file).open("rb") as content:
            return content.read(MOST_BYTES).decode(errors="replace")
    except (OSError, ValueError):
        return ""


def _in_urls(value: str) -> Iterator[str]:
    for url in value.split(",") if "://" in value else ():
        rest = url.partition("://")[2]
        user, _, place = rest.rpartition("@")
        name, found, password = user.partition(":")
        # Without a host, what should be a port may be a password.
        port = "" if user else _AFTER_ADDRESS.split(place.rpartition(":")[2])[0]
        for secret in (password if found else name, user if found else "", port):
            yield from (secret, unquote(secret))
        for key, parameter in parse_qsl(place.partition("?")[2]):
            if _SECRET.search(key):
                yield parameter


def _in_headers(value: str) -> Iterator[str]:
    """The values of `name=value,name=value`, and the tokens of `Bearer TOKEN`."""
    for header in _BETWEEN_HEADERS.split(value):
        text = unquote(header.partition("=")[2] or header.partition(":")[2]).strip()
        yield from (text, text.rpartition(" ")[2])


def _in_json(value: str) -> Iterator[str]:
    try:
        yield from _in_document(json.loads(value))
    except ValueError:
        yield value


def _in_document(found: Any, name: str = "") -> Iterator[str]:
    if isinstance(found, dict):
        for key, value in found.items():
            yield from _in_document(value, str(key))
    elif isinstance(found, list):
        for value in found:
            yield from _in_document(value, name)
    elif isinstance(found, str):
        yield from _in_urls(found)
        if _SECRET.search(name):
            yield found


def _forms(secret: str) -> set[str]:
    """A secret as it is, and as it is written in URLs, JSON and Python."""
    return {
        secret,
        quote(secret, safe=""),
        json.dumps(secret)[1:-1],
        json.dumps(secret, ensure_ascii=False)[1:-1],
        repr(secret)[1:-1],
    }
