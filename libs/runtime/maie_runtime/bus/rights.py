"""The rights in NATS that the credentials of each part of a mesh need to allow.

A part also subscribes to its own inbox, `subjects.inbox(PART)`, and to no other. Everything that
is not in its list is refused. Subjects may contain wildcards, as permissions may. `accounts.py`
makes the accounts of nats-server from these lists.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from nats.js.api import StreamConfig

from maie_pipeline.bindings import BINDINGS
from maie_runtime.bus import subjects
from maie_runtime.bus.streams import STREAMS

API = "$JS.API"
GATEWAY = "gateway"
PROVISION = "provision"
OPERATOR = "operator"
MONITOR = "monitor"
# What the server reports of itself to its system account: no message, no subject's content.
REPORTS = ("HEALTHZ", "VARZ", "JSZ", "CONNZ", "SUBSZ")
READ_BY_GATEWAYS = (
    subjects.TASKS,
    subjects.EVENTS,
    subjects.DEAD_LETTERS,
    subjects.WEBHOOKS,
    subjects.FINALS,
    subjects.NAMES,
    subjects.SESSIONS,
    subjects.bucket_stream(subjects.JOBS),
    subjects.bucket_stream(subjects.REQUESTS),
    subjects.bucket_stream(subjects.UPLOADS),
    subjects.bucket_stream(subjects.SHARES),
    subjects.bucket_stream(subjects.SECRETS),
    subjects.bucket_stream(subjects.KEYS),
    subjects.bucket_stream(subjects.DATA_KEYS),
    subjects.bucket_stream(subjects.FEEDS),
)
# The streams whose rights are listed one by one below. Any other belongs to the gateways.
LISTED = frozenset(
    (
        *READ_BY_GATEWAYS,
        subjects.RETURNS,
        subjects.bucket_stream(subjects.WORKERS),
        subjects.bucket_stream(subjects.GPUS),
    )
)


class Use(enum.Enum):
    """A use of a subject."""

    PUBLISH = "publishes, and waits for no answer"
    REQUEST = "publishes, and waits for one answer"
    REQUEST_MANY = "publishes, and waits for any number of answers"
    SUBSCRIBE = "subscribes"
    ANSWER = "subscribes, and answers each message once"


@dataclass(kw_only=True, frozen=True, slots=True)
class Right:
    """A part's use of a subject.

    Attributes:
        use: The use.
        subject: The subject; may contain wildcards.
    """

    use: Use
    subject: str


def worker(slug: str, gpus: Iterable[str] = ()) -> tuple[Right, ...]:
    """The rights of a worker of a stage.

    Args:
        slug: The stage.
        gpus: The GPUs that its workers share with those of other stages.
    """
    return (*_worker(slug), *(right for gpu in gpus for right in _gpu(gpu)))


def gateway() -> tuple[Right, ...]:
    """The rights of a gateway, and of `python -m maie_gateway.readmodel`."""
    return tuple(_gateway())


def provisioner() -> tuple[Right, ...]:
    """The rights of `maie provision`."""
    return tuple(_provisioner())


def operator() -> tuple[Right, ...]:
    """The rights of an operator: everything in the account of the gateways."""
    return (_request(">"), _subscribe(">"))


def monitor() -> tuple[Right, ...]:
    """The rights of a watcher of the server, in its system account: reports, and no change."""
    return tuple(_many(f"$SYS.REQ.SERVER.PING.{report}") for report in REPORTS)


def parts(gpus: Mapping[str, Iterable[str]] | None = None) -> dict[str, tuple[Right, ...]]:
    """The rights of each part, by the part's name: the stages, `gateway` and `provision`.

    Args:
        gpus: The stages that share a GPU, by the GPU's name.
    """
    shared = gpus or {}
    workers = {
        slug: worker(slug, [gpu for gpu, stages in shared.items() if slug in stages])
        for slug in BINDINGS
    }
    return {**workers, GATEWAY: gateway(), PROVISION: provisioner()}


def _worker(slug: str) -> Iterator[Right]:
    for lane in subjects.LANES:
        consumer = subjects.worker_consumer(slug, lane)
        yield _many(f"{API}.CONSUMER.MSG.NEXT.{subjects.TASKS}.{consumer}")
        yield _request(f"$JS.ACK.{subjects.TASKS}.{consumer}.>")
    # To read whether a unit is still wanted, and how often its workers were lost.
    yield _request(subjects.direct_get(subjects.TASKS, subjects.tasks_of_stage(slug, "*")))
    yield _request(f"{API}.STREAM.INFO.{subjects.RETURNS}")
    # Workers of 0.1.0 count on a copy.
    yield _request(subjects.direct_get(subjects.RETURNS))
    yield _request(subjects.event(slug, "*"))
    yield _request(subjects.dead_letter(slug, "*"))
    yield _request(subjects.returned(slug, "*", "*", "*"))
    yield _publish(subjects.progress("*"))
    yield _request(subjects.bucket_subject(subjects.WORKERS, f"{slug}.*"))
    yield _request(subjects.data_key(slug, "*"))
    yield _subscribe(subjects.tasks_of_stage(slug, "*"))
    yield _subscribe(subjects.cancel("*"))


def _gpu(gpu: str) -> Iterator[Right]:
    """The further rights of services that share a GPU. They can end each other's lease."""
    bucket = subjects.bucket_stream(subjects.GPUS)
    keys = subjects.bucket_subject(subjects.GPUS, subjects.gpu_keys(gpu))
    yield _request(keys)
    yield _request(subjects.direct_get(bucket, keys))
    yield _request(f"{API}.STREAM.INFO.{bucket}")
    yield _request(f"{API}.STREAM.PURGE.{bucket}")
    yield _publish(subjects.gpu_news(gpu))
    yield _subscribe(subjects.gpu_news(gpu))


def _gateway() -> Iterator[Right]:
    yield from _provisioner()
    for subject in (
        subjects.task("*", "*", ">", "*"),
        subjects.event("*", "*"),
        subjects.dead_letter("*", "*"),
        subjects.webhook("*", "*"),
        subjects.final("*", "*", "*"),
        subjects.names("*"),
        subjects.session("*"),
        subjects.bucket_subject(subjects.JOBS, "*"),
        subjects.bucket_subject(subjects.REQUESTS, "*.*"),
        subjects.bucket_subject(subjects.UPLOADS, "*.*.*"),
        subjects.bucket_subject(subjects.SHARES, subjects.share("*", "*", "*")),
        subjects.bucket_subject(subjects.SECRETS, "*.*"),
        subjects.bucket_subject(subjects.KEYS, "*"),
        subjects.bucket_subject(subjects.DATA_KEYS, "*.*"),
        subjects.bucket_subject(subjects.FEEDS, subjects.feed("*", "*", "*")),
    ):
        yield _request(subject)
    # Its own heartbeat, beside those of workers.
    yield _request(subjects.bucket_subject(subjects.WORKERS, f"{GATEWAY}.*"))
    yield _publish(subjects.cancel("*"))
    yield _subscribe(subjects.progress("*"))
    yield Right(use=Use.ANSWER, subject=subjects.data_key("*", "*"))
    # Who takes over a live session is noticed by the entry that says so.
    yield _subscribe(subjects.session("*"))
    for stream, consumer in (
        (subjects.EVENTS, subjects.CONDUCTOR),
        (subjects.WEBHOOKS, subjects.WEBHOOK_SENDERS),
        (subjects.SESSIONS, subjects.FINAL_RELAY),
        (subjects.FINALS, subjects.FINAL_SENDERS),
    ):
        yield _request(f"{API}.CONSUMER.DURABLE.CREATE.{stream}.{consumer}")
        yield _request(f"{API}.CONSUMER.INFO.{stream}.{consumer}")
        yield _many(f"{API}.CONSUMER.MSG.NEXT.{stream}.{consumer}")
        yield _publish(f"$JS.ACK.{stream}.{consumer}.>")
    for name in (subjects.JOBS, subjects.WORKERS, subjects.KEYS, subjects.DATA_KEYS):
        yield from _watch(subjects.bucket_stream(name))
    yield from _watch(subjects.NAMES)
    for stream in READ_BY_GATEWAYS:
        yield _request(f"{API}.STREAM.MSG.GET.{stream}")
    # All entries of a job at once.
    yield _many(subjects.direct_get(subjects.bucket_stream(subjects.JOBS)))
    # A session's whole log.
    yield _many(subjects.direct_get(subjects.SESSIONS))
    for stream in (
        subjects.RETURNS,
        subjects.bucket_stream(subjects.REQUESTS),
        subjects.bucket_stream(subjects.FEEDS),
    ):
        yield _request(f"{API}.STREAM.PURGE.{stream}")
    for stream in (
        subjects.TASKS,
        subjects.EVENTS,
        subjects.FINALS,
        subjects.NAMES,
        subjects.SESSIONS,
        subjects.DEAD_LETTERS,
        subjects.WEBHOOKS,
        subjects.bucket_stream(subjects.UPLOADS),
        subjects.bucket_stream(subjects.SHARES),
        subjects.bucket_stream(subjects.SECRETS),
        subjects.bucket_stream(subjects.DATA_KEYS),
    ):
        yield _request(f"{API}.STREAM.MSG.DELETE.{stream}")
    for each in STREAMS:
        if each.name not in LISTED:
            yield from _owned(each)


def _owned(stream: StreamConfig) -> Iterator[Right]:
    """All that the owner of a stream may do with it, as far as its configuration allows it."""
    name = stream.name or ""
    for subject in stream.subjects or ():
        yield _request(subject)
    yield from _watch(name)
    yield _request(f"{API}.STREAM.MSG.GET.{name}")
    if stream.allow_direct:
        yield _many(subjects.direct_get(name))
        yield _many(f"{subjects.direct_get(name)}.>")
    if not stream.deny_purge:
        yield _request(f"{API}.STREAM.PURGE.{name}")
    if not stream.deny_delete:
        yield _request(f"{API}.STREAM.MSG.DELETE.{name}")


def _watch(stream: str) -> Iterator[Right]:
    """The rights to follow a stream with a consumer that the server names."""
    yield _request(f"{API}.CONSUMER.CREATE.{stream}")
    yield _request(f"{API}.CONSUMER.INFO.{stream}.*")
    # Answers to the server's flow control.
    yield _publish(f"$JS.FC.{stream}.>")


def _provisioner() -> Iterator[Right]:
    for stream in (stream.name or "" for stream in STREAMS):
        for verb in ("INFO", "CREATE", "UPDATE"):
            yield _request(f"{API}.STREAM.{verb}.{stream}")
    for slug in BINDINGS:
        for lane in subjects.LANES:
            consumer = subjects.worker_consumer(slug, lane)
            yield _request(f"{API}.CONSUMER.DURABLE.CREATE.{subjects.TASKS}.{consumer}")
            yield _request(f"{API}.CONSUMER.INFO.{subjects.TASKS}.{consumer}")


def _publish(subject: str) -> Right:
    return Right(use=Use.PUBLISH, subject=subject)


def _request(subject: str) -> Right:
    return Right(use=Use.REQUEST, subject=subject)


def _many(subject: str) -> Right:
    return Right(use=Use.REQUEST_MANY, subject=subject)


def _subscribe(subject: str) -> Right:
    return Right(use=Use.SUBSCRIBE, subject=subject)
