"""Callers by the token of a share."""

from __future__ import annotations

import hmac
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from maie_core.caller import Caller, CallerKind, Scope
from maie_core.share_tokens import PREFIX, UNKNOWN, parse_token
from maie_gateway.shares.store import FoundShare, ShareStore
from maie_runtime.bus.broker import broker_unavailable
from maie_runtime.rpc.callers.authenticator import Call, bearer, credentials_invalid

# Compared with where there is no share, so that each refusal has done the same work.
_NO_HASH = bytes(32)


def caller_id(share_id: str) -> str:
    """The id of the callers that have the token of a share."""
    return f"{CallerKind.SHARE}:{share_id}"


class ShareCallers:
    """Knows callers by the tokens of shares.

    A token that is unknown, expired or revoked is refused in the same words, after one question to
    the broker.

    Attributes:
        remedy: How to call with its credentials, as a sentence.
    """

    remedy = "Send the token of a share in the same way."

    def __init__(self) -> None:
        self._store: ShareStore | None = None

    @contextmanager
    def reading(self, store: ShareStore) -> Iterator[None]:
        """Reads shares while the context lasts; outside of it, nobody can be known."""
        self._store = store
        try:
            yield
        finally:
            self._store = None

    async def caller_of(self, call: Call) -> Caller | None:
        """Who has the share of the call's token; None where the call has none.

        Raises:
            StageError: UNAUTHENTICATED with CREDENTIALS_INVALID; UNAVAILABLE with
                BROKER_UNAVAILABLE: it cannot be known now whether the share works.
        """
        credential = bearer(call)
        if not credential.startswith(PREFIX):
            return None
        token = parse_token(credential)
        if token is None:
            raise credentials_invalid(UNKNOWN)
        if self._store is None:
            raise broker_unavailable()
        found = await self._store.find(token.job_id, token.share_id)
        same = hmac.compare_digest(token.sha256, found.sha256 if found else _NO_HASH)
        if found is None or not same or not found.works(datetime.now(UTC)):
            raise credentials_invalid(UNKNOWN)
        return _caller(found)


def _caller(found: FoundShare) -> Caller:
    audio = {Scope.SHARED_AUDIO} if found.shown.audio else set()
    return Caller(
        id=caller_id(found.shown.share_id),
        tenant=found.tenant,
        scopes=frozenset({Scope.SHARED, *audio}),
        kind=CallerKind.SHARE,
        expires_at=found.shown.expire_time.ToNanoseconds() / 1e9,
        only_job=found.shown.job_id,
    )
