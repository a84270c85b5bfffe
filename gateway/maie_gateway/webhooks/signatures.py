"""The headers by which a receiver knows that a delivery is genuine and recent."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import time

from maie_core.errors import invalid
from maie_core.reasons import Reason

SIGNATURE_HEADER = "maie-signature"
TIMESTAMP_HEADER = "maie-timestamp"

# Standard Webhooks 1.0.0 (https://www.standardwebhooks.com).
STANDARD_ID_HEADER = "webhook-id"
STANDARD_TIMESTAMP_HEADER = "webhook-timestamp"
STANDARD_SIGNATURE_HEADER = "webhook-signature"
STANDARD_PREFIX = "whsec_"
MIN_STANDARD_KEY_BYTES = 24
MAX_STANDARD_KEY_BYTES = 64


def headers(secret: str, event_id: str, content: bytes, now: float | None = None) -> dict[str, str]:
    """The headers of one attempt; receivers can refuse an old timestamp.

    Args:
        secret: The receiver's secret.
        event_id: The event's id, the same for each attempt.
        content: The body.
        now: Seconds since 1970; the current time where unset.

    Raises:
        StageError: INVALID_ARGUMENT with WEBHOOK_INVALID, as `standard_key`.
    """
    timestamp = str(int(time.time() if now is None else now))
    return {
        TIMESTAMP_HEADER: timestamp,
        SIGNATURE_HEADER: signature(secret, timestamp, content),
        STANDARD_ID_HEADER: event_id,
        STANDARD_TIMESTAMP_HEADER: timestamp,
        STANDARD_SIGNATURE_HEADER: standard_signature(secret, event_id, timestamp, content),
    }


def signature(secret: str, timestamp: str, content: bytes) -> str:
    """`sha256=` and the HMAC-SHA-256 of `TIMESTAMP.BODY` in hexadecimal (RFC 2104)."""
    signed = timestamp.encode() + b"." + content
    return "sha256=" + hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()


def standard_signature(secret: str, event_id: str, timestamp: str, content: bytes) -> str:
    """`v1,` and the HMAC-SHA-256 of `ID.TIMESTAMP.BODY` in Base64.

    Raises:
        StageError: INVALID_ARGUMENT with WEBHOOK_INVALID, as `standard_key`.
    """
    signed = f"{event_id}.{timestamp}.".encode() + content
    made = hmac.new(standard_key(secret), signed, hashlib.sha256).digest()
    return "v1," + base64.b64encode(made).decode()


def standard_key(secret: str, *, field: str = "") -> bytes:
    """The key that a secret stands for in Standard Webhooks.

    Args:
        secret: `whsec_` and the key in Base64, or any other text, whose UTF-8 is the key.
        field: What the error names.

    Raises:
        StageError: INVALID_ARGUMENT with WEBHOOK_INVALID where a key in `whsec_` form has not the
            length that the specification wants, or is no Base64.
    """
    if not secret.startswith(STANDARD_PREFIX):
        return secret.encode()
    try:
        key = base64.b64decode(secret.removeprefix(STANDARD_PREFIX), validate=True)
    except (binascii.Error, ValueError):
        key = b""  # which is too short
    if not MIN_STANDARD_KEY_BYTES <= len(key) <= MAX_STANDARD_KEY_BYTES:
        raise invalid(
            Reason.WEBHOOK_INVALID,
            f"A webhook's secret that begins with {STANDARD_PREFIX} goes on with "
            f"{MIN_STANDARD_KEY_BYTES} to {MAX_STANDARD_KEY_BYTES} bytes in Base64, such as "
            "`openssl rand -base64 32` prints.",
            field=field,
        )
    return key
