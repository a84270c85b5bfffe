"""The CloudEvent 1.0, in structured mode, that receivers get."""

from __future__ import annotations

import json

from google.protobuf.json_format import MessageToDict

from maie.common.v1 import types_pb2 as common
from maie.event.v1 import event_pb2 as event
from maie.live.v1 import live_pb2 as live

JOB_FINISHED = "maie.job.finished.v1"
LIVE_FINAL = "maie.live.final.v1"
CONTENT_TYPE = "application/cloudevents+json; charset=utf-8"


def body(delivery: event.WebhookDelivery, source: str) -> bytes:
    """The event as JSON: the same bytes for each attempt of a delivery.

    Args:
        delivery: The delivery.
        source: The CloudEvents source.
    """
    cloud_event = {
        "specversion": "1.0",
        "type": LIVE_FINAL if delivery.HasField("final") else JOB_FINISHED,
        "source": source,
        "id": delivery.event_id,
        "subject": delivery.job_id,
        "time": delivery.finish_time.ToJsonString(),
        "datacontenttype": "application/json",
        "data": _final(delivery) if delivery.HasField("final") else _job(delivery),
    }
    return json.dumps(
        cloud_event, ensure_ascii=False, separators=(",", ":"), sort_keys=True
    ).encode()


def _job(delivery: event.WebhookDelivery) -> dict[str, object]:
    return {
        "job_id": delivery.job_id,
        "state": delivery.state,
        "display_name": delivery.display_name,
        "labels": dict(delivery.labels),
        "tenant": delivery.tenant,
        "failures": [_plain(failure) for failure in delivery.failures],
    }


def _final(delivery: event.WebhookDelivery) -> dict[str, object]:
    final = live.Final()
    delivery.final.Unpack(final)
    # With what is empty or 0, so that a receiver needs to know no defaults.
    return MessageToDict(
        final, preserving_proto_field_name=True, always_print_fields_with_no_presence=True
    )


def _plain(failure: common.Failure) -> dict[str, object]:
    return MessageToDict(failure, preserving_proto_field_name=True)
