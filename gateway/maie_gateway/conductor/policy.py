"""The conductor's limits: retries, their backoff, and the queued units of a job."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from maie.common.v1 import types_pb2 as common
from maie_core.limits import MAX_LABELS, MAX_SPEAKER_NAMES

_HASH_RANGE = float(1 << 64)


@dataclass(kw_only=True, frozen=True, slots=True)
class Policy:
    """The conductor's limits.

    Attributes:
        max_retries: How often a unit is retried after a retryable failure; 0 or more.
        backoff_base: The pause before the first retry.
        backoff_factor: How much longer each further pause is; 1 or more.
        backoff_cap: The longest pause.
        jitter: The most of a pause, as a fraction from 0 to 1, that is left out. The
            amount differs by unit, so that units that failed together are not
            retried together.
        max_chunks: The most chunks of one job. A job's record is one message
            in JetStream, of at most 1 MiB: with 256 chunks it is some hundred
            KB, and below 1 MiB however often units fail.
        max_record_bytes: A job whose record could grow over this cannot be retried.
        max_labels: The most labels of one job.
        max_speaker_names: The most names of speakers of one job.
        window: The most units of one job that are queued at once, by stage, so
            that a long job delays a short one by no more than that. At least one
            unit is always queued, so that no job stalls; a stage that is missing
            here has no limit.
    """

    max_retries: int = 2
    backoff_base: timedelta = timedelta(seconds=1)
    backoff_factor: float = 4.0
    backoff_cap: timedelta = timedelta(seconds=60)
    jitter: float = 0.2
    max_chunks: int = 256
    max_record_bytes: int = 1_000_000
    max_labels: int = MAX_LABELS
    max_speaker_names: int = MAX_SPEAKER_NAMES
    window: Mapping[common.Stage, int] = field(default_factory=dict)

    def most_queued(self, stage: common.Stage) -> int:
        """The most units of a stage of one job that are queued at once; 1 or more."""
        return max(1, self.window.get(stage, sys.maxsize))

    def pause(self, failed_attempt: int, task_id: str) -> timedelta:
        """How long to wait after a failure; deterministic.

        Args:
            failed_attempt: The attempt that failed, from 1.
            task_id: The failed task's id, the seed of the jitter.
        """
        # Bounded step by step: a high attempt would overflow a plain power.
        pause = self.backoff_base
        for _ in range(failed_attempt - 1):
            if pause >= self.backoff_cap:
                break
            pause *= self.backoff_factor
        return min(pause, self.backoff_cap) * (1 - self.jitter * _fraction(task_id))


def _fraction(text: str) -> float:
    """A pseudo-random number from 0 to below 1, from the hash of a text."""
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8]) / _HASH_RANGE
