"""Errors of the broker at a bucket, as callers get them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from maie_runtime.bus.broker import BROKER_ERRORS, broker_unavailable
from maie_runtime.bus.errors import KeyNotFoundError, KeyWrongLastSequenceError


class EntryChangedError(Exception):
    """Another call changed or deleted the entry first."""


@contextmanager
def bucket_errors() -> Iterator[None]:
    """Raises errors of the broker as StageError, but for answers about a key.

    Raises:
        KeyNotFoundError, KeyWrongLastSequenceError: As they are.
        StageError: UNAVAILABLE with BROKER_UNAVAILABLE: the broker does not answer.
    """
    try:
        yield
    except (KeyWrongLastSequenceError, KeyNotFoundError):
        raise
    except BROKER_ERRORS as error:
        raise broker_unavailable(error) from error
