"""The markers that removed entries of a bucket leave for a while."""

from __future__ import annotations

from maie_gateway.records.bucket_errors import bucket_errors
from maie_runtime.bus import subjects
from maie_runtime.bus.broker import Broker
from maie_runtime.bus.watch import Entry

OPERATION = "KV-Operation"
# For gateways that were disconnected.
REMOVAL_MARKER_SECONDS = 3600


async def remove_key(broker: Broker, bucket: str, key: str) -> Entry:
    """Removes a key of a bucket, whatever its revision; returns the marker in its place.

    KeyValue.delete would leave the marker for ever.

    Raises:
        StageError: UNAVAILABLE with BROKER_UNAVAILABLE.
    """
    with bucket_errors():
        acknowledged = await broker.jetstream.publish(
            subjects.bucket_subject(bucket, key),
            b"",
            headers={OPERATION: "DEL"},
            msg_ttl=REMOVAL_MARKER_SECONDS,
        )
    return Entry(key=key, value=None, revision=acknowledged.seq)
