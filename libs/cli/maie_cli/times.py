"""Times that are typed, and that are shown."""

from __future__ import annotations

from datetime import UTC, datetime

import typer
from google.protobuf.timestamp_pb2 import Timestamp


def in_utc(typed: datetime | None) -> datetime | None:
    """A command-line time, in UTC if it has no offset.

    Raises:
        typer.BadParameter: In UTC it is before the year 1 or after 9999.
    """
    if typed is None or typed.tzinfo is None:
        return typed
    try:
        return typed.astimezone(UTC)
    except OverflowError:
        raise typer.BadParameter("no calendar has that time in UTC") from None


def minute(time: Timestamp) -> str:
    """A time in UTC, to the minute."""
    return time.ToDatetime().isoformat(sep=" ", timespec="minutes")
