"""The streams and buckets that a mesh lives on, as they are wanted."""

from __future__ import annotations

from dataclasses import dataclass

from nats.js.api import DiscardPolicy, RetentionPolicy, StorageType, StreamConfig

from maie_runtime.bus import subjects

DUPLICATE_WINDOW_SECONDS = 600
EVENTS_KEPT_SECONDS = 7 * 24 * 3600
DEAD_LETTERS_KEPT_SECONDS = 30 * 24 * 3600
# Far longer than a gateway tries; only a mesh without gateways lets one lapse.
WEBHOOKS_KEPT_SECONDS = 30 * 24 * 3600
# Far longer than a unit goes from worker to worker.
RETURNS_KEPT_SECONDS = 30 * 24 * 3600
REQUESTS_KEPT_SECONDS = 7 * 24 * 3600
WORKER_FORGOTTEN_SECONDS = 60
# A service that holds a shared GPU and dies keeps it from the others for so long.
GPU_FORGOTTEN_SECONDS = 10
# A job's last whole record and the changes since, of which gateways write fewer than this.
JOB_ENTRIES = 128


@dataclass(kw_only=True, frozen=True, slots=True)
class Lifetimes:
    """How long what is in the broker is kept, in seconds.

    Attributes:
        events: What happened to units.
        dead_letters: Units and deliveries that were given up.
        requests: Which job a client's request id stands for.
    """

    events: float = EVENTS_KEPT_SECONDS
    dead_letters: float = DEAD_LETTERS_KEPT_SECONDS
    requests: float = REQUESTS_KEPT_SECONDS

    def of_streams(self) -> dict[str, float]:
        """The lifetimes by the name of the stream."""
        return {
            subjects.EVENTS: self.events,
            subjects.DEAD_LETTERS: self.dead_letters,
            subjects.bucket_stream(subjects.REQUESTS): self.requests,
        }


def _bucket(
    name: str,
    description: str,
    *,
    seconds: float | None = None,
    direct: bool = False,
    erasable: bool = False,
    entries: int = 1,
) -> StreamConfig:
    """The stream of a bucket, as key-value clients of NATS expect it.

    Args:
        name: The bucket.
        description: What it holds.
        seconds: How long an entry is kept.
        direct: Whether it is read from any server that has it.
        erasable: Whether single entries are overwritten on the disk.
        entries: How many the bucket keeps of a key, the last ones.
    """
    return StreamConfig(
        name=subjects.bucket_stream(name),
        description=description,
        subjects=[subjects.bucket_subject(name, ">")],
        # In memory, the bucket itself would be gone after a restart of the server.
        storage=StorageType.FILE,
        retention=RetentionPolicy.LIMITS,
        discard=DiscardPolicy.NEW,
        max_msgs_per_subject=entries,
        max_age=seconds,
        duplicate_window=min(seconds or DUPLICATE_WINDOW_SECONDS, DUPLICATE_WINDOW_SECONDS),
        allow_direct=direct,
        allow_msg_ttl=True,
        # A write can take the place of its key's others; such a header can remove all keys, too.
        allow_rollup_hdrs=entries > 1,
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
) -> StreamConfig:
    """A stream that refuses a message id which it has taken before."""
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
    )


STREAMS = (
    _stream(
        subjects.TASKS,
        "Units of work that wait for a worker",
        "maie.task.>",
        retention=RetentionPolicy.WORK_QUEUE,
        # Workers have no other right to read it.
        direct=True,
    ),
    _stream(
        subjects.EVENTS,
        "What happened to units of work",
        "maie.event.>",
        seconds=EVENTS_KEPT_SECONDS,
    ),
    _stream(
        subjects.DEAD_LETTERS,
        "Units of work that were given up",
        "maie.dead.>",
        seconds=DEAD_LETTERS_KEPT_SECONDS,
    ),
    _stream(
        subjects.WEBHOOKS,
        "What receivers are to be told of finished jobs",
        "maie.webhook.>",
        retention=RetentionPolicy.WORK_QUEUE,
        seconds=WEBHOOKS_KEPT_SECONDS,
    ),
    _stream(
        subjects.RETURNS,
        "Deliveries of units that workers gave back in order",
        "maie.return.>",
        seconds=RETURNS_KEPT_SECONDS,
        most_per_subject=1,
        # Workers have no other right to read it.
        direct=True,
    ),
    # What a limit removes stays on the disk; so each message goes by being erased.
    _stream(subjects.NAMES, "What clients call their jobs", subjects.names("*")),
    # Gateways read it at each resume; as with names, each message goes by being erased.
    _stream(
        subjects.SESSIONS,
        "The logs of live sessions",
        subjects.session("*"),
        direct=True,
    ),
    _bucket(subjects.JOBS, "What is known of each job", direct=True, entries=JOB_ENTRIES),
    _bucket(
        subjects.REQUESTS,
        "Which job a client's request id stands for",
        seconds=REQUESTS_KEPT_SECONDS,
    ),
    _bucket(subjects.SECRETS, "The secrets of jobs' webhooks", erasable=True),
    _bucket(subjects.WORKERS, "Workers that are alive", seconds=WORKER_FORGOTTEN_SECONDS),
    _bucket(
        subjects.GPUS,
        "Services that hold a shared GPU or wait for it",
        seconds=GPU_FORGOTTEN_SECONDS,
        direct=True,
    ),
)
