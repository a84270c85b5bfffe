"""One attempt at a delivery, and its outcome for the delivery and the receiver."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from http import HTTPStatus

import structlog
from aiohttp import ClientError
from opentelemetry.trace import NoOpTracer, Span, SpanKind, StatusCode, Tracer

from maie.event.v1 import event_pb2 as event
from maie_core.attributes import ERROR_TYPE, JOB, OUTCOME, RECEIVER, TENANT
from maie_core.errors import Code, StageError
from maie_core.reasons import Reason
from maie_core.spans import span
from maie_core.trace_context import TRACEPARENT, current_traceparent
from maie_gateway.egress.connections import server_of
from maie_gateway.records.store import GONE
from maie_gateway.webhooks import cloud_event, signatures
from maie_gateway.webhooks.http import Poster
from maie_gateway.webhooks.secrets import Secrets

log = structlog.get_logger()

_UNEXPECTED = StageError(
    Code.INTERNAL, Reason.DELIVERY_FAILED, "The gateway could not send it; its log has the details."
)


class Outcome(enum.Enum):
    """What happens to a delivery after an attempt."""

    DELIVERED = "delivered"
    RETRY = "tried again later"
    GIVEN_UP = "given up"
    DROPPED = "its job is gone"


@dataclass(kw_only=True, frozen=True, slots=True)
class Attempt:
    """The result of an attempt.

    Attributes:
        outcome: What happens to the delivery.
        receiver_well: Whether the receiver seems healthy; None where nothing was sent.
        error: Why it was not delivered.
    """

    outcome: Outcome
    receiver_well: bool | None = None
    error: StageError | None = None


class Attempts:
    """Sends deliveries, one attempt at a time.

    Args:
        poster: Sends POSTs.
        secrets: Has the receivers' secrets.
        source: The CloudEvents source.
        tracer: Makes a span of each attempt, which the receiver gets as `traceparent`.
    """

    def __init__(
        self, poster: Poster, secrets: Secrets, source: str, tracer: Tracer | None = None
    ) -> None:
        self._tracer = tracer or NoOpTracer()
        self._poster = poster
        self._secrets = secrets
        self._source = source

    async def make(self, delivery: event.WebhookDelivery, earlier: int = 0) -> Attempt:
        """Sends a delivery; returns errors instead of raising them.

        Args:
            delivery: The delivery.
            earlier: How often it was sent before.
        """
        attributes = {
            "http.request.method": "POST",
            "http.request.resend_count": earlier,
            JOB: delivery.job_id,
            TENANT: delivery.tenant,
            RECEIVER: delivery.receiver,
            **server_of(delivery.url),
        }
        with span(self._tracer, "POST", attributes, kind=SpanKind.CLIENT) as sending:
            made = await self._make(delivery, sending)
            sending.set_attribute(OUTCOME, made.outcome.value)
            if made.error is not None:
                sending.set_attribute(ERROR_TYPE, made.error.reason.value)
                sending.set_status(StatusCode.ERROR)
        return made

    async def _make(self, delivery: event.WebhookDelivery, sending: Span) -> Attempt:
        try:
            secret = await self._secrets.find(delivery)
            content = cloud_event.body(delivery, self._source)
            headers = {
                "content-type": cloud_event.CONTENT_TYPE,
                **signatures.headers(secret, delivery.event_id, content),
            }
            if traceparent := current_traceparent():
                headers[TRACEPARENT] = traceparent
            status = await self._poster.post(delivery.url, headers, content)
            sending.set_attribute("http.response.status_code", status)
        except StageError as error:
            return _not_sent(error)
        except (ClientError, OSError, UnicodeError) as error:
            # Their messages may contain the URL, and with it a key.
            return _unanswered(
                Reason.RECEIVER_TIMEOUT
                if isinstance(error, TimeoutError)
                else Reason.RECEIVER_UNREACHABLE
            )
        except Exception as error:  # noqa: BLE001 - it must age and be given up like others
            log.error("webhook.unexpected_error", error=type(error).__name__)
            return Attempt(outcome=Outcome.RETRY, error=_UNEXPECTED)
        return _answered(status)


def _not_sent(error: StageError) -> Attempt:
    if error.reason in GONE:
        return Attempt(outcome=Outcome.DROPPED, error=error)
    if error.code is Code.UNAVAILABLE:
        return Attempt(outcome=Outcome.RETRY, error=error)
    return Attempt(outcome=Outcome.GIVEN_UP, error=error)


def _unanswered(reason: Reason) -> Attempt:
    error = StageError(
        Code.UNAVAILABLE,
        reason,
        "The receiver did not answer; look whether it is up and reachable.",
    )
    return Attempt(outcome=Outcome.RETRY, receiver_well=False, error=error)


def _answered(status: int) -> Attempt:
    if HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
        return Attempt(outcome=Outcome.DELIVERED, receiver_well=True)
    error = StageError(
        Code.UNAVAILABLE,
        Reason.RECEIVER_STATUS,
        f"The receiver answered {status}; only 2xx counts as delivered.",
    )
    if status == HTTPStatus.GONE:
        return Attempt(outcome=Outcome.GIVEN_UP, receiver_well=True, error=error)
    well = status < HTTPStatus.INTERNAL_SERVER_ERROR and status != HTTPStatus.TOO_MANY_REQUESTS
    return Attempt(outcome=Outcome.RETRY, receiver_well=well, error=error)
