"""The errors of the NATS client."""

from __future__ import annotations

from nats.errors import Error as NatsError
from nats.js.errors import (
    APIError,
    KeyNotFoundError,
    KeyWrongLastSequenceError,
    NoKeysError,
    NotFoundError,
)

__all__ = [
    "APIError",
    "KeyNotFoundError",
    "KeyWrongLastSequenceError",
    "NatsError",
    "NoKeysError",
    "NotFoundError",
]
