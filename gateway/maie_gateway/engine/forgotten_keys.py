"""Keys of removed jobs leave the memory of all gateways, and not only of the one that removed."""

from __future__ import annotations

from maie.job.v1 import record_pb2 as record
from maie_gateway.vault.data_keys import DataKeys


class ForgottenKeys:
    """Follows the records of jobs, as a `Follower` of `JobChanges`.

    Args:
        keys: The keys of this gateway.
    """

    def __init__(self, keys: DataKeys) -> None:
        self._keys = keys

    def replay_begun(self) -> None:
        """Drops all keys: jobs may have been removed while this gateway was disconnected."""
        self._keys.forget_all()

    def changed(self, seen: record.JobRecord, revision: int) -> None:
        """Notes that the job exists."""
        self._keys.exists(seen.job_id, revision)

    def gone(self, job_id: str, revision: int) -> None:
        """Drops the key of a removed job."""
        self._keys.forget(job_id, revision)

    def replay_ended(self) -> None:
        """Nothing is left to do."""
