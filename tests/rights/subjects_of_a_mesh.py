"""Every subject, stream, bucket and call of NATS that a mesh has, by name, to be tried."""

from __future__ import annotations

from collections.abc import Iterator

from maie_pipeline.bindings import BINDINGS
from maie_runtime.bus import subjects
from maie_runtime.bus.accounts import DETOUR
from maie_runtime.bus.rights import API, GATEWAY, MONITOR, OPERATOR, PROVISION, REPORTS, Right
from maie_runtime.bus.streams import STREAMS

JOB = "11111111-1111-4111-8111-111111111111"
GPU = "test/0"
PARTS = (*BINDINGS, GATEWAY, PROVISION, OPERATOR, MONITOR)
CONSUMERS = (
    *(
        (subjects.TASKS, subjects.worker_consumer(slug, lane))
        for slug in BINDINGS
        for lane in subjects.LANES
    ),
    (subjects.EVENTS, subjects.CONDUCTOR),
    (subjects.WEBHOOKS, subjects.WEBHOOK_SENDERS),
    (subjects.SESSIONS, subjects.FINAL_RELAY),
    (subjects.FINALS, subjects.FINAL_SENDERS),
)
OF_A_STREAM = (
    *("CREATE", "UPDATE", "INFO", "DELETE", "PURGE", "SNAPSHOT", "RESTORE"),
    *("MSG.GET", "MSG.DELETE", "PEER.REMOVE", "LEADER.STEPDOWN"),
)
OF_ITS_CONSUMERS = ("CREATE", "NAMES", "LIST")
OF_A_CONSUMER = (
    *("CREATE", "DURABLE.CREATE", "INFO", "DELETE", "MSG.NEXT"),
    *("PAUSE", "UNPIN", "RESET", "LEADER.STEPDOWN"),
)
OF_THE_ACCOUNT = (
    *("INFO", "STREAM.NAMES", "STREAM.LIST", "STREAM.CREATE.X", "STREAM.TEMPLATE.NAMES"),
    *("STREAM.TEMPLATE.CREATE.X", "META.LEADER.STEPDOWN", "SERVER.REMOVE"),
    *("ACCOUNT.PURGE.MAIE", "ACCOUNT.STREAM.MOVE.MAIE.X", "ACCOUNT.STREAM.CANCEL_MOVE.MAIE.X"),
)
OF_THE_SYSTEM = (
    *("USER.INFO", "ACCOUNT.MAIE.CONNZ", "ACCOUNT.MAIE.JSZ", "ACCOUNT.MAIE.INFO"),
    *("ACCOUNT.PING.STATZ", "SERVER.PING", "SERVER.X.RELOAD", "SERVER.X.KICK", "SERVER.X.LDM"),
    *("SERVER.PING.PROFILEZ", "SERVER.PING.ACCOUNTZ", "SERVER.PING.ROUTEZ", "SERVER.PING.RAFTZ"),
    *("DEBUG.SUBSCRIBERS", "CLAIMS.UPDATE", "CLAIMS.LIST", "CLAIMS.DELETE"),
    *(f"SERVER.PING.{report}" for report in REPORTS),
)


def stored() -> Iterator[tuple[str, str]]:
    """A subject of each kind that a stream of the mesh stores, after the stream's name."""
    for slug in (*BINDINGS, "job", "webhook", "live"):
        for lane in subjects.LANES:
            yield subjects.TASKS, subjects.task(slug, JOB, "asr.0000", lane)
        yield subjects.EVENTS, subjects.event(slug, JOB)
        yield subjects.DEAD_LETTERS, subjects.dead_letter(slug, JOB)
        yield subjects.RETURNS, subjects.returned(slug, JOB, 1, "1")
        yield (
            subjects.bucket_stream(subjects.WORKERS),
            subjects.bucket_subject(subjects.WORKERS, f"{slug}.{slug}-1"),
        )
    yield subjects.WEBHOOKS, subjects.webhook(JOB, "0")
    yield subjects.FINALS, subjects.final(JOB, "0", 1)
    yield subjects.NAMES, subjects.names(JOB)
    yield subjects.SESSIONS, subjects.session(JOB)
    yield subjects.AUDIT, subjects.audit("acme", JOB)
    yield subjects.AUDIT, subjects.audit()
    for gpu in (GPU, "other/0"):
        for key in (
            subjects.gpu_holder(gpu),
            subjects.gpu_asking(gpu),
            subjects.gpu_waiting(gpu, 1),
        ):
            bucket = subjects.GPUS
            yield subjects.bucket_stream(bucket), subjects.bucket_subject(bucket, key)
    for stream in STREAMS:
        name = stream.name or ""
        if name.startswith("KV_"):
            bucket = name.removeprefix("KV_")
            for key in ("key", JOB, f"tenant.{JOB}", f"{JOB}.0.1", f"tenant.{JOB}.share"):
                yield name, subjects.bucket_subject(bucket, key)


def to_publish() -> list[str]:
    """All that somebody could publish to: what is stored, what is heard, and each call."""
    return list(dict.fromkeys(_to_publish()))


def _to_publish() -> Iterator[str]:
    for stream, subject in stored():
        yield subject
        yield subjects.direct_get(stream, subject)
    yield subjects.progress(JOB)
    yield subjects.cancel(JOB)
    for gpu in (GPU, "other/0"):
        yield subjects.gpu_news(gpu)
    for part in PARTS:
        yield f"{subjects.inbox(part)}.abc.def"
    yield "_INBOX.abc.def"
    for prefix in (API, DETOUR):
        yield from (f"{prefix}.{call}" for call in _calls())
    for stream, consumer in CONSUMERS:
        yield f"$JS.ACK.{stream}.{consumer}.1.1.1.1790000000000000000.0"
        yield f"$JS.ACK._.hash.{stream}.{consumer}.1.1.1.1790000000000000000.0"
        yield f"$JS.FC.{stream}.{consumer}.1"
    for call in OF_THE_SYSTEM:
        yield f"$SYS.REQ.{call}"
    yield from ("$SYS.ACCOUNT.MAIE.CONNECT", "$SYS.SERVER.X.STATSZ", "$JS.EVENT.ADVISORY.X")
    yield from ("$NRG.V.X", "$JSC.X", "_R_.x", "_GR_.x", "$MQTT.sub.x", "$OBJ.x.C.y", "other")


def _calls() -> Iterator[str]:
    yield from OF_THE_ACCOUNT
    for stream in (stream.name or "" for stream in STREAMS):
        yield from (f"STREAM.{verb}.{stream}" for verb in OF_A_STREAM)
        yield from (f"CONSUMER.{verb}.{stream}" for verb in OF_ITS_CONSUMERS)
        yield f"CONSUMER.CREATE.{stream}.x.>"
        yield f"CONSUMER.INFO.{stream}.x"
        yield f"CONSUMER.DELETE.{stream}.x"
        yield f"DIRECT.GET.{stream}"
    for stream, consumer in CONSUMERS:
        yield from (f"CONSUMER.{verb}.{stream}.{consumer}" for verb in OF_A_CONSUMER)


def to_subscribe() -> list[str]:
    """All that somebody could listen to, one by one and with wildcards."""
    return list(dict.fromkeys(_to_subscribe()))


def _to_subscribe() -> Iterator[str]:
    yield from (">", "*", "*.>", "*.*", "*.*.*.>", "maie.>", "maie.*.*", "maie.*.>")
    yield from ("$KV.>", "$KV.*.>", "$JS.>", "$JS.API.>", "$JS.ACK.>", "$JS.FC.>", "$JS.EVENT.>")
    yield from ("$SYS.>", "$SYS.REQ.>", "_INBOX.>", "_R_.>", "$NRG.>", "*.asr.>", "*.cancel.*")
    for stream in STREAMS:
        yield from stream.subjects or ()
    for _, subject in stored():
        yield subject
    for slug in BINDINGS:
        yield subjects.tasks_of_stage(slug, "*")
        yield subjects.event(slug, "*")
        yield subjects.bucket_subject(subjects.WORKERS, f"{slug}.*")
    yield from (subjects.progress("*"), subjects.cancel("*"), subjects.gpu_news(">"))
    yield from (subjects.gpu_news(gpu) for gpu in (GPU, "other/0"))
    for part in PARTS:
        yield f"{subjects.inbox(part)}.>"
        yield f"{subjects.inbox(part)}.abc"
    for prefix in (API, DETOUR):
        yield f"{prefix}.>"


def covers(right: Right, subject: str) -> bool:
    """Whether a right is to this subject, which may hold wildcards itself."""
    return matches(right.subject, subject)


def matches(pattern: str, subject: str) -> bool:
    """Whether all that a subject means is within a pattern."""
    allowed, asked = pattern.split("."), subject.split(".")
    for place, token in enumerate(allowed):
        if token == ">":
            return len(asked) > place
        if place >= len(asked) or asked[place] == ">":
            return False
        if token != "*" and token != asked[place]:
            return False
    return len(allowed) == len(asked)
