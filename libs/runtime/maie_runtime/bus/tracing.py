"""Spans of messages, by OpenTelemetry's conventions for messaging, and their trace context."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from nats.aio.msg import Msg
from opentelemetry import trace
from opentelemetry.trace import Link, Span, SpanContext, SpanKind, Tracer

from maie.event.v1 import event_pb2 as event
from maie_core.attributes import ATTEMPT, DELIVERY, JOB, LANE, STAGE, TENANT, UNIT
from maie_core.spans import Value, span
from maie_core.trace_context import (
    TRACEPARENT,
    current_traceparent,
    span_context_of,
    within,
)


@dataclass(kw_only=True, frozen=True, slots=True)
class Destination:
    """Where a message goes, without what differs from job to job.

    Attributes:
        name: The beginning of the subject, such as "maie.task.asr.batch".
        template: The whole subject, with names for its parts.
        attributes: What the subject says.
    """

    name: str
    template: str
    attributes: dict[str, Value]


# The parts of subjects whose messages have spans; a capital part is the last of the name.
_SHAPES = {
    "task": ("stage", "LANE", "job", "unit"),
    "event": ("STAGE", "job"),
    "dead": ("STAGE", "job"),
    "webhook": ("job", "receiver"),
    "final": ("job", "receiver", "track"),
}
_ATTRIBUTES = {"stage": STAGE, "lane": LANE, "job": JOB, "unit": UNIT}


def destination_of(subject: str) -> Destination | None:
    """The destination of a subject; None where its messages have no spans."""
    _, kind, *parts = subject.split(".")
    shape = _SHAPES.get(kind)
    if shape is None:
        return None
    named = 2 + next((place + 1 for place, part in enumerate(shape) if part.isupper()), 0)
    # Dots in a unit's name separate tokens.
    values = [*parts[: len(shape) - 1], ".".join(parts[len(shape) - 1 :])]
    names = [part.lower() for part in shape]
    return Destination(
        name=".".join(subject.split(".")[:named]),
        template=".".join(["maie", kind, *(f"{{{name}}}" for name in names)]),
        attributes={
            _ATTRIBUTES[name]: value
            for name, value in zip(names, values, strict=False)
            if name in _ATTRIBUTES
        },
    )


@contextmanager
def publishing(tracer: Tracer, subject: str) -> Iterator[dict[str, str]]:
    """A span around publishing a message; yields the headers that carry the trace.

    Work that belongs to no trace begins none.
    """
    destination = destination_of(subject) if current_traceparent() else None
    if destination is None:
        yield trace_headers()
        return
    attributes = message_attributes(destination, "send", "publish")
    with span(tracer, f"publish {destination.name}", attributes, kind=SpanKind.PRODUCER):
        yield trace_headers()


@contextmanager
def attempt_span(tracer: Tracer, task: event.StageTask, message: Msg) -> Iterator[Span]:
    """The span of a delivery of a task, from when it was queued, in the trace of its job.

    It follows the message, the attempts at what its unit needs, and the unit's last attempt.
    A child of it says how long the task was queued.

    Args:
        tracer: Makes the spans.
        task: The task.
        message: Its message.
    """
    sent = traceparent_of_message(message)
    with within(task.traceparent or sent):
        destination = destination_of(message.subject)
        if destination is None or not current_traceparent():
            yield trace.INVALID_SPAN
            return
        consumer, taken = message.metadata.consumer, time.time_ns()
        queued = min(round(message.metadata.timestamp.timestamp() * 1e9), taken)
        with span(
            tracer,
            f"process {destination.name}",
            {
                **message_attributes(destination, "process", "process", consumer),
                ATTEMPT: task.attempt,
                TENANT: task.tenant,
                DELIVERY: message.metadata.num_delivered,
            },
            kind=SpanKind.CONSUMER,
            links=[*links_to([sent]), *_links_in_trace(task)],
            start_time=queued,
        ) as attempt:
            tracer.start_span("maie.queue", start_time=queued).end(taken)
            yield attempt


@contextmanager
def processing(tracer: Tracer, messages: Sequence[Msg]) -> Iterator[None]:
    """A span around handling messages of one job: a child of what sent the first one.

    It follows what sent the others. Messages without a trace begin none.
    """
    first, *others = [traceparent_of_message(each) for each in messages]
    with within(first):
        destination = destination_of(messages[0].subject)
        if destination is None or not current_traceparent():
            yield
            return
        consumer = messages[0].metadata.consumer
        attributes = message_attributes(destination, "process", "process", consumer)
        count = {"messaging.batch.message_count": len(messages)} if others else {}
        with span(
            tracer,
            f"process {destination.name}",
            {**attributes, **count},
            kind=SpanKind.CONSUMER,
            links=links_to(others),
        ):
            yield


def _links_in_trace(task: event.StageTask) -> list[Link]:
    """Links to earlier attempts, which are in the job's trace."""
    job = span_context_of(task.traceparent)
    if job is None:
        return []
    spans = (int.from_bytes(span_id) for span_id in task.earlier_span_ids)
    contexts = (SpanContext(job.trace_id, each, is_remote=True) for each in spans)
    return [Link(each) for each in contexts if each.is_valid]


def span_id_of(recorded: Span) -> bytes:
    """The id of a span, of 8 bytes; empty where it is not recorded."""
    if not recorded.is_recording():
        return b""
    return recorded.get_span_context().span_id.to_bytes(8)


def trace_headers() -> dict[str, str]:
    """The headers that carry the current trace; empty where there is none."""
    traceparent = current_traceparent()
    return {TRACEPARENT: traceparent} if traceparent else {}


def message_attributes(
    destination: Destination, kind: str, operation: str, consumer: str = ""
) -> dict[str, Value]:
    """The attributes of a message's span.

    Args:
        destination: Where the message is.
        kind: The convention's type of the operation: "send" or "process".
        operation: Its name.
        consumer: The durable consumer that received it; empty where it was sent.
    """
    group = {"messaging.consumer.group.name": consumer} if consumer else {}
    return {
        "messaging.system": "nats",
        "messaging.operation.type": kind,
        "messaging.operation.name": operation,
        "messaging.destination.name": destination.name,
        "messaging.destination.template": destination.template,
        **group,
        **destination.attributes,
    }


def traceparent_of_message(message: Msg) -> str:
    """The trace context in a message's headers; empty where it has none."""
    return (message.headers or {}).get(TRACEPARENT, "")


def links_to(traceparents: Sequence[str]) -> list[Link]:
    """Links to the spans that trace contexts name; invalid ones are left out."""
    named = map(span_context_of, dict.fromkeys(traceparents))
    return [Link(each) for each in named if each is not None]
