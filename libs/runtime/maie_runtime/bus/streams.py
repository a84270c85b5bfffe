"""The wanted configuration of a mesh's streams and buckets."""

from __future__ import annotations

from dataclasses import dataclass

from nats.js.api import DiscardPolicy, RetentionPolicy, StorageType, StreamConfig

from maie_runtime.bus import subjects

DUPLICATE_WINDOW_SECONDS = 600
EVENTS_KEPT_SECONDS = 7 * 24 * 3600
DEAD_LETTERS_KEPT_SECONDS = 30 * 24 * 3600
# Far longer than gateways retry a delivery; one expires only in a mesh without gateways.
WEBHOOKS_KEPT_SECONDS = 30 * 24 * 3600
# Far longer than a task is redelivered.
RETURNS_KEPT_SECONDS = 30 * 24 * 3600
AUDIT_KEPT_SECONDS = 365 * 24 * 3600
REQUESTS_KEPT_SECONDS = 7 * 24 * 3600
WORKER_FORGOTTEN_SECONDS = 60
# When a service dies, its lease of a shared GPU expires after this long.
GPU_FORGOTTEN_SECONDS = 10
# A job's last whole record and the changes since; gateways write fewer changes than this.
JOB_ENTRIES = 128


@dataclass(kw_only=True, frozen=True, slots=True)
class Lifetimes:
    """How long the broker keeps messages, in seconds.

    Attributes:
        events: Events of units.
        dead_letters: Dead letters of units and webhooks.
        requests: The job ids of clients' request ids.
        audit: Entries of the audit log.
    """

    events: float = EVENTS_KEPT_SECONDS
    dead_letters: float = DEAD_LETTERS_KEPT_SECONDS
    requests: float = REQUESTS_KEPT_SECONDS
    audit: float = AUDIT_KEPT_SECONDS

    def of_streams(self) -> dict[str, float]:
        """The lifetimes by the name of the stream."""
        return {
            subjects.EVENTS: self.events,
            subjects.DEAD_LETTERS: self.dead_letters,
            subjects.bucket_stream(subjects.REQUESTS): self.requests,
            subjects.AUDIT: self.audit,
        }


def _bucket(
    name: str,
    description: str,
    *,
    seconds: float | None = None,
    direct: bool = False,
    erasable: bool = False,
    entries: int = 1,
    rollup: bool = False,
) -> StreamConfig:
    """The stream of a bucket, as key-value clients of NATS expect it.

    Args:
        name: The bucket.
        description: What it holds.
        seconds: How long an entry is kept.
        direct: Whether reads may be answered by any server that has a copy.
        erasable: Whether single entries can be erased, that is, overwritten on the disk.
        entries: How many entries of a key the bucket keeps, the latest ones.
        rollup: Whether a write may replace the other entries of its key. Its header can also
            remove all keys, so it is allowed only where it is needed.
    """
    return StreamConfig(
        name=subjects.bucket_stream(name),
        description=description,
        subjects=[subjects.bucket_subject(name, ">")],
        # With storage in memory, a restart of the server would delete the bucket itself.
        storage=StorageType.FILE,
        retention=RetentionPolicy.LIMITS,
        discard=DiscardPolicy.NEW,
        max_msgs_per_subject=entries,
        max_age=seconds,
        duplicate_window=min(seconds or DUPLICATE_WINDOW_SECONDS, DUPLICATE_WINDOW_SECONDS),
        allow_direct=direct,
        allow_msg_ttl=True,
        allow_rollup_hdrs=rollup,
        deny_delete=not erasable,
    )


def _stream(
    name: str,
    description: str,
    subject: str,
    *,
    retention: RetentionPolicy = RetentionPolicy.LIMITS,
    seconds: float | None = None,
    most_per_subject: int = -1,
    direct: bool = False,
    purgeable: bool = False,
    append_only: bool = False,
) -> StreamConfig:
    """A stream that ignores a message whose id it stored before.

    Args:
        name: The stream.
        description: What it holds.
        subject: Its subjects.
        retention: When messages are removed.
        seconds: How long a message is kept.
        most_per_subject: How many messages of a subject it keeps; -1: all.
        direct: Whether reads may be answered by any server that has a copy.
        purgeable: Whether messages are purged, and not erased one by one. A purge of a stream that
            has consumers makes the server forget what it was to deliver again.
        append_only: Whether messages go by age only; the server lets nobody turn that off.
    """
    return StreamConfig(
        name=name,
        description=description,
        subjects=[subject],
        retention=retention,
        storage=StorageType.FILE,
        max_age=seconds,
        max_msgs_per_subject=most_per_subject,
        duplicate_window=DUPLICATE_WINDOW_SECONDS,
        allow_direct=direct or None,
        deny_purge=not purgeable,
        deny_delete=purgeable or append_only,
    )


STREAMS = (
    _stream(
        subjects.TASKS,
        "Tasks: units of work that wait for a worker",
        "maie.task.>",
        retention=RetentionPolicy.WORK_QUEUE,
        # Workers may read it only this way.
        direct=True,
    ),
    _stream(
        subjects.EVENTS,
        "Events of units of work",
        "maie.event.>",
        seconds=EVENTS_KEPT_SECONDS,
    ),
    _stream(
        subjects.DEAD_LETTERS,
        "Dead letters: units of work and webhooks that were given up",
        "maie.dead.>",
        seconds=DEAD_LETTERS_KEPT_SECONDS,
    ),
    _stream(
        subjects.WEBHOOKS,
        "Webhooks to deliver: notifications of finished jobs",
        "maie.webhook.>",
        retention=RetentionPolicy.WORK_QUEUE,
        seconds=WEBHOOKS_KEPT_SECONDS,
    ),
    _stream(
        subjects.FINALS,
        "Who has finals of live sessions to get",
        subjects.final("*", "*", "*"),
        retention=RetentionPolicy.WORK_QUEUE,
        seconds=WEBHOOKS_KEPT_SECONDS,
    ),
    _stream(
        subjects.RETURNS,
        "Redelivery ledger: deliveries of tasks that workers returned",
        "maie.return.>",
        seconds=RETURNS_KEPT_SECONDS,
        most_per_subject=1,
        # Workers of 0.1.0 read it this way.
        direct=True,
        purgeable=True,
    ),
    # Without limits, which leave removed messages on the disk: each message is erased by itself.
    _stream(subjects.NAMES, "Names and texts that clients gave their jobs", subjects.names("*")),
    # As with names, each message is erased by itself.
    _stream(
        subjects.SESSIONS,
        "The logs of live sessions",
        subjects.session("*"),
        # Gateways read it at each resume.
        direct=True,
    ),
    _stream(
        subjects.AUDIT,
        "Audit log: who did what",
        subjects.audit("*", "*"),
        seconds=AUDIT_KEPT_SECONDS,
        # Gateways read it page by page.
        direct=True,
        append_only=True,
    ),
    _bucket(subjects.JOBS, "Job records", direct=True, entries=JOB_ENTRIES, rollup=True),
    _bucket(
        subjects.REQUESTS,
        "The job id of each request id of a client",
        seconds=REQUESTS_KEPT_SECONDS,
    ),
    _bucket(subjects.UPLOADS, "Resumable uploads, with what they are for", erasable=True),
    _bucket(subjects.SHARES, "Shares of jobs, with the hashes of their secrets", erasable=True),
    _bucket(subjects.SECRETS, "The secrets of jobs' webhooks", erasable=True),
    _bucket(subjects.KEYS, "API keys, with the hashes of their secrets"),
    _bucket(subjects.DATA_KEYS, "The wrapped keys of jobs' encrypted data", erasable=True),
    _bucket(
        subjects.TEMPLATES,
        "Templates of summaries that tenants made",
        erasable=True,
        # What a limit removes stays on the disk. So an entry that was replaced is erased by itself.
        entries=2,
    ),
    _bucket(
        subjects.VOICES,
        "Profiles of voices",
        # All of a tenant are read at once.
        direct=True,
        erasable=True,
        # As with templates, a profile that was replaced is erased by itself.
        entries=2,
    ),
    _bucket(subjects.TENANTS, "Limits that were set for tenants", erasable=True),
    _bucket(subjects.FEEDS, "How far receivers of finals are"),
    _bucket(subjects.WORKERS, "Live workers", seconds=WORKER_FORGOTTEN_SECONDS),
    _bucket(
        subjects.GPUS,
        "Leases of shared GPUs, and services that wait for one",
        seconds=GPU_FORGOTTEN_SECONDS,
        direct=True,
    ),
)
