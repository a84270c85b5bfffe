"""Everything that can go wrong, and the few that a short run tries."""

from __future__ import annotations

from tests.chaos.buckets import BUCKET_FAULTS
from tests.chaos.fault import Fault
from tests.chaos.processes import PROCESS_FAULTS
from tests.chaos.recordings import RECORDING_FAULTS
from tests.chaos.requests import REQUEST_FAULTS
from tests.chaos.storage import STORAGE_FAULTS
from tests.chaos.watchers import WATCHER_FAULTS

FAULTS: tuple[Fault, ...] = (
    *PROCESS_FAULTS,
    *STORAGE_FAULTS,
    *BUCKET_FAULTS,
    *RECORDING_FAULTS,
    *REQUEST_FAULTS,
    *WATCHER_FAULTS,
)
# One of each kind, for a run of a few minutes.
SHORT = frozenset(
    {
        "kill -9 asr",
        "kill -9 gateway",
        "kill -9 nats",
        "freeze asr",
        "freeze nats",
        "freeze quality past the grace",
        "SIGTERM gateway",
        "kill -9 at conductor.after_store",
        "object store away",
        "bucket: 503",
        "bucket: truncated reads",
        "bucket: kill -9 of the server",
        "mesh's only disk full",
        "flipped bit in a result",
        "poison recording",
        "unit longer than ack_wait",
        "100 duplicate submits",
        "gateway's clock an hour forward",
        "kill -9 at submission.after_begin",
        "watchers that stop reading",
    }
)
assert {fault.name for fault in FAULTS} >= SHORT
