"""Callers by API key."""

from __future__ import annotations

import hmac
from datetime import UTC, datetime
from pathlib import Path

from maie.access.v1 import access_pb2 as access
from maie.access.v1 import stored_pb2 as stored
from maie_core.api_keys import BOOTSTRAP_ID, PREFIX, KeyText, parse_key
from maie_core.caller import ALL_SCOPES, DEFAULT_TENANT, Caller, CallerKind, Scope
from maie_gateway.access.key_ring import KeyRing
from maie_runtime.rpc.callers.authenticator import Call, bearer, credentials_invalid

SEND_A_KEY = "Send an API key as the metadata `authorization: Bearer KEY`."
_SCOPES = {
    access.SCOPE_SUBMIT: Scope.SUBMIT,
    access.SCOPE_READ: Scope.READ,
    access.SCOPE_LIVE: Scope.LIVE,
    access.SCOPE_ADMIN: Scope.ADMIN,
}
_UNKNOWN = (
    "The API key is unknown, revoked or damaged; use another one, or make one with "
    "`maie keys create`."
)


def caller_id(key_id: str) -> str:
    """The id of the callers that have a key."""
    return f"key:{key_id}"


class KeyCallers:
    """Knows callers by the keys of the mesh.

    Attributes:
        remedy: How to call with its credentials, as a sentence.
    """

    remedy = SEND_A_KEY

    def __init__(self, ring: KeyRing) -> None:
        self._ring = ring

    async def caller_of(self, call: Call) -> Caller | None:
        """The holder of the call's API key; None where the call has none.

        Raises:
            StageError: UNAUTHENTICATED with CREDENTIALS_INVALID; UNAVAILABLE with
                BROKER_UNAVAILABLE: it cannot be known now whether the key works.
        """
        credential = bearer(call)
        if not credential.startswith(PREFIX):
            return None
        text = parse_key(credential)
        key = await self._ring.find(text.key_id) if text else None
        if text is None or key is None:
            raise credentials_invalid(_UNKNOWN)
        end = check_secret(key, text, datetime.now(UTC))
        return Caller(
            id=caller_id(text.key_id),
            tenant=key.key.tenant,
            # Those of a later release are left out.
            scopes=frozenset(_SCOPES[scope] for scope in key.key.scopes if scope in _SCOPES),
            kind=CallerKind.KEY,
            expires_at=end.timestamp() if end else None,
        )


class BootstrapKey:
    """Knows who has the one key of a file, which makes the first keys of a mesh.

    Args:
        path: The file.

    Attributes:
        remedy: How to call with its credentials, as a sentence.

    Raises:
        RuntimeError: The file cannot be read, or holds no such key.
    """

    remedy = SEND_A_KEY

    def __init__(self, path: Path) -> None:
        try:
            text = parse_key(path.read_text(encoding="utf-8").strip())
        except (OSError, UnicodeDecodeError) as error:
            raise RuntimeError(
                f"The bootstrap key in {path} cannot be read ({type(error).__name__}); make one "
                "with: maie keys bootstrap FILE"
            ) from error
        if text is None or text.key_id != BOOTSTRAP_ID:
            raise RuntimeError(
                f"{path} holds no bootstrap key; make one with: maie keys bootstrap FILE"
            )
        self._sha256 = text.sha256

    async def caller_of(self, call: Call) -> Caller | None:
        """The holder of the bootstrap key; None for everybody else.

        Raises:
            StageError: UNAUTHENTICATED with CREDENTIALS_INVALID.
        """
        text = parse_key(bearer(call))
        if text is None or text.key_id != BOOTSTRAP_ID:
            return None
        if not hmac.compare_digest(text.sha256, self._sha256):
            raise credentials_invalid(_UNKNOWN)
        return Caller(
            id=caller_id(BOOTSTRAP_ID),
            tenant=DEFAULT_TENANT,
            scopes=ALL_SCOPES,
            kind=CallerKind.KEY,
        )


def check_secret(key: stored.StoredKey, text: KeyText, now: datetime) -> datetime | None:
    """Refuses a secret that is not the key's, or works no more.

    All secrets are compared, each in constant time.

    Returns:
        When it ends; None where it does not end by itself.

    Raises:
        StageError: UNAUTHENTICATED with CREDENTIALS_INVALID.
    """
    sha256 = text.sha256
    same = [secret for secret in key.secrets if hmac.compare_digest(secret.sha256, sha256)]
    if not same:
        raise credentials_invalid(_UNKNOWN)
    ends = [
        holder.expire_time.ToDatetime(UTC)
        for holder in (same[0], key.key)
        if holder.HasField("expire_time")
    ]
    end = min(ends, default=None)
    if end is not None and end <= now:
        # Only who has the key gets to know this.
        raise credentials_invalid(
            "The API key has expired or was rotated; use the new one, or make one with "
            "`maie keys create`."
        )
    return end
