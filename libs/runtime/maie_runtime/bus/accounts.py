"""The accounts of nats-server that hold each part of a mesh to its rights.

Permissions of users of one account are not enough. The server does not check the subject of a
reply, so a part that may publish to a stream could have the acknowledgement written anywhere in its
account, such as over a job record. So each part has an account of its own, and JetStream is in
that of the gateways, which exports to each part exactly what `rights.py` lists.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

from maie_runtime.bus import subjects
from maie_runtime.bus.rights import (
    API,
    GATEWAY,
    MONITOR,
    OPERATOR,
    Right,
    Use,
    monitor,
    operator,
    parts,
)

T = TypeVar("T")

HOME = "MAIE"
"""The account of the gateways, with all streams."""
SYSTEM = "MAIE_SYSTEM"
"""The server's system account; it has a user only for monitoring, where that is wanted."""

# For each request the server remembers where its answers go, until this long after the last one.
# That is longer than any request of ours; the default of two minutes would only cost it memory.
MANY_ANSWERS = {"response_type": "Stream", "response_threshold": "30s"}
DETOUR = "MAIE.API"
NEXT = ".MSG.NEXT."
RECEIVING = (Use.SUBSCRIBE, Use.ANSWER)
"""The uses of a subject that a part subscribes to."""
ANSWERED_WITHIN = "30s"
"""How long the subject of a request's reply stays open to the part that answers it."""


def account_of(part: str) -> str:
    """The account of a part."""
    if part == MONITOR:
        return SYSTEM
    return HOME if part in (GATEWAY, OPERATOR) else f"{HOME}_{part.upper()}"


def accounts(
    keys: Mapping[str, str], gpus: Mapping[str, Iterable[str]] | None = None
) -> dict[str, Any]:
    """The accounts as they stand in the server's configuration.

    Args:
        keys: The public nkey of each part that may connect, by the part's name: those of
            `rights.parts`, and `operator` and `monitor` where they are wanted.
        gpus: The stages that share a GPU, by the GPU's name.
    """
    rights = parts(gpus)
    users = rights | {OPERATOR: operator(), MONITOR: monitor()}
    guests = {part: each for part, each in rights.items() if account_of(part) != HOME}
    made: dict[str, Any] = {
        HOME: {"jetstream": "enabled", "users": [], "exports": _exports(guests)},
        **{
            account_of(part): {"users": [], "imports": _imports(each), "mappings": _mappings(each)}
            for part, each in guests.items()
        },
        SYSTEM: {"users": []},
    }
    for part, key in keys.items():
        made[account_of(part)]["users"].append(_user(part, key, users[part]))
    return made


def _user(part: str, key: str, rights: Iterable[Right]) -> dict[str, Any]:
    """A user that may do what is listed, and nothing else."""
    received = [right.subject for right in rights if right.use in RECEIVING]
    sent = [right.subject for right in rights if right.use not in RECEIVING]
    if account_of(part) not in (HOME, SYSTEM):
        # The server checks a subject after it has renamed it.
        sent = [_detour(each) if _is_served_everywhere(each) else each for each in sent]
    permissions: dict[str, Any] = {
        "publish": {"allow": _unique(sent)},
        "subscribe": {"allow": _unique([f"{subjects.inbox(part)}.>", *received])},
    }
    if any(right.use is Use.ANSWER for right in rights):
        permissions["allow_responses"] = {"max": 1, "expires": ANSWERED_WITHIN}
    return {"nkey": key, "permissions": permissions}


def _exports(guests: Mapping[str, Iterable[Right]]) -> list[dict[str, Any]]:
    """What the account of the gateways exports, each to the accounts that need it."""
    takers: dict[tuple[str, str, bool], list[str]] = {}
    for part, rights in guests.items():
        for right in rights:
            many = right.use is Use.REQUEST_MANY
            key = (_kind(right), right.subject, many)
            takers.setdefault(key, []).append(account_of(part))
    return [
        {kind: subject, "accounts": _unique(names)} | (MANY_ANSWERS if many else {})
        for (kind, subject, many), names in takers.items()
    ]


def _imports(rights: Iterable[Right]) -> list[dict[str, Any]]:
    return [
        {kind: {"account": HOME, "subject": subject}}
        | ({"to": _detour(subject)} if _is_served_everywhere(subject) else {})
        for kind, subject in _unique((_kind(right), right.subject) for right in rights)
    ]


def _mappings(rights: Iterable[Right]) -> dict[str, str]:
    """What the server renames as it comes from a client of the account."""
    listed = (right.subject for right in rights)
    return {each: _detour(each) for each in listed if _is_served_everywhere(each)}


def _is_served_everywhere(subject: str) -> bool:
    """Whether the server answers requests in every account by itself, for its own JetStream.

    An import of such a subject would have two answers: ours, and that the account has no JetStream.
    So the import has another name, which the server gives to the request.
    """
    return subject.startswith((f"{API}.STREAM.", f"{API}.CONSUMER.")) and NEXT not in subject


def _detour(subject: str) -> str:
    return subject.replace(API, DETOUR, 1)


def _kind(right: Right) -> str:
    return "stream" if right.use is Use.SUBSCRIBE else "service"


def _unique(items: Iterable[T]) -> list[T]:
    return list(dict.fromkeys(items))
