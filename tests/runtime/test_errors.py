"""The one table of errors, on every transport."""

from __future__ import annotations

from datetime import timedelta
from http import HTTPStatus

import grpc
import pytest
from google.rpc import code_pb2, error_details_pb2

from maie_core.errors import OUTCOMES, Code, Settle, StageError
from maie_core.reasons import Reason
from maie_runtime.rpc.errors import to_status

pytestmark = pytest.mark.unit

TABLE = {
    "CANCELLED": (Settle.NAK, 409),
    "UNKNOWN": (Settle.RETRY, 500),
    "INVALID_ARGUMENT": (Settle.GIVE_UP, 400),
    "DEADLINE_EXCEEDED": (Settle.RETRY, 504),
    "NOT_FOUND": (Settle.GIVE_UP, 404),
    "ALREADY_EXISTS": (Settle.GIVE_UP, 409),
    "PERMISSION_DENIED": (Settle.GIVE_UP, 403),
    "RESOURCE_EXHAUSTED": (Settle.GIVE_UP, 429),
    "FAILED_PRECONDITION": (Settle.GIVE_UP, 422),
    "ABORTED": (Settle.RETRY, 409),
    "OUT_OF_RANGE": (Settle.GIVE_UP, 400),
    "UNIMPLEMENTED": (Settle.GIVE_UP, 501),
    "INTERNAL": (Settle.RETRY, 500),
    "UNAVAILABLE": (Settle.RETRY, 503),
    "DATA_LOSS": (Settle.GIVE_UP, 500),
    "UNAUTHENTICATED": (Settle.GIVE_UP, 401),
}


def test_every_code_has_one_outcome_on_each_transport() -> None:
    told = {code.name: (outcome.settle, int(outcome.http)) for code, outcome in OUTCOMES.items()}
    assert told == TABLE
    assert all(isinstance(outcome.http, HTTPStatus) for outcome in OUTCOMES.values())


@pytest.mark.parametrize("code", Code)
def test_codes_have_the_numbers_of_google_rpc_and_grpc(code: Code) -> None:
    assert code_pb2.Code.Value(code.name) == code
    assert grpc.StatusCode[code.name].value[0] == code


def test_a_status_carries_reason_retry_hint_and_field() -> None:
    error = StageError(
        Code.RESOURCE_EXHAUSTED,
        Reason.QUEUE_FULL,
        "Full.",
        retry_after=timedelta(seconds=3),
        field="config",
    )
    info, retry, bad = to_status(error).details
    reason = error_details_pb2.ErrorInfo()
    assert info.Unpack(reason)
    assert (reason.reason, reason.domain) == ("QUEUE_FULL", "maie")
    hint = error_details_pb2.RetryInfo()
    assert retry.Unpack(hint)
    assert hint.retry_delay.seconds == 3
    request = error_details_pb2.BadRequest()
    assert bad.Unpack(request)
    assert request.field_violations[0].field == "config"


def test_what_is_unavailable_always_says_when_to_try_again() -> None:
    _, retry = to_status(StageError(Code.UNAVAILABLE, Reason.WORKER_STOPS, "It stops.")).details
    hint = error_details_pb2.RetryInfo()
    assert retry.Unpack(hint)
    assert hint.retry_delay.seconds >= 1
