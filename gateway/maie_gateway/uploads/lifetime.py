"""When an upload expires."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import timedelta

from google.protobuf.timestamp_pb2 import Timestamp

from maie.upload.v1 import record_pb2 as record

GRACE = timedelta(hours=1)
"""An upload that expired is removed after this long: a job that is being made of it is there by
then."""


@dataclass(frozen=True, slots=True)
class Lifetime:
    """How long an upload is kept after its last bytes.

    Attributes:
        duration: The time.
    """

    duration: timedelta

    def renew(self, state: record.UploadState) -> None:
        """Has an upload expire that long from now."""
        state.expire_time.GetCurrentTime()
        state.expire_time.seconds += math.ceil(self.duration.total_seconds())


def is_expired(state: record.UploadState, grace: timedelta = timedelta()) -> bool:
    """Whether an upload had no bytes for too long, and a while longer."""
    now = Timestamp()
    now.GetCurrentTime()
    return bool(now.seconds > state.expire_time.seconds + grace.total_seconds())
