from __future__ import annotations

import json

import pytest

from maie.job.v1 import job_pb2 as job
from maie.job.v1 import record_pb2 as record
from maie_gateway.webhooks import TenantWebhook, WebhookSettings, deliveries
from maie_gateway.webhooks.cloud_event import body
from maie_gateway.webhooks.deliveries import MAX_FAILURES, delivery_id
from maie_gateway.webhooks.signatures import signature
from tests.gateway.webhooks.receiver import SECRET, finished

pytestmark = pytest.mark.unit
HOOK = {"name": "crm", "url": "https://crm.test/hook", "secret": "another secret of theirs"}
TENANTS = {"default": (TenantWebhook.model_validate(HOOK),)}


def unfinished(source: record.JobRecord) -> record.JobRecord:
    before = record.JobRecord()
    before.CopyFrom(source)
    before.state = job.JOB_STATE_PROCESSING_ASR
    del before.log[-1]
    return before


def test_each_receiver_is_told_once_when_a_job_becomes_final() -> None:
    new = finished("j", "https://a.test/", "https://b.test/")
    told = deliveries(unfinished(new), new, TENANTS)
    assert [(one.receiver, one.url) for one in told] == [
        ("0", "https://a.test/"),
        ("1", "https://b.test/"),
        ("tenant-crm", "https://crm.test/hook"),
    ]
    assert {one.event_id for one in told} == {"j/JOB_STATE_FAILED/3"}
    assert len({delivery_id(one) for one in told}) == 3
    assert deliveries(new, new, TENANTS) == []


def test_a_receiver_of_finals_alone_is_not_notified_of_the_end() -> None:
    new = finished("j", "https://a.test/", "https://b.test/", "https://c.test/")
    new.config.webhooks[0].events.append(job.WEBHOOK_EVENT_LIVE_FINAL)
    new.config.webhooks[1].events.extend(
        [job.WEBHOOK_EVENT_LIVE_FINAL, job.WEBHOOK_EVENT_JOB_FINISHED]
    )
    finals_only = TenantWebhook.model_validate({**HOOK, "events": ["live_final"]})
    told = deliveries(None, new, {"default": (finals_only,)})
    assert [one.receiver for one in told] == ["1", "2"]


def test_nobody_is_told_before() -> None:
    new = unfinished(finished("j", "https://a.test/"))
    assert deliveries(None, new, TENANTS) == []


def test_what_may_have_been_lost_is_told_again_under_the_same_ids() -> None:
    new = finished("j", "https://a.test/")
    assert deliveries(None, new, TENANTS) == deliveries(unfinished(new), new, TENANTS)


def test_later_entries_of_the_log_change_no_id() -> None:
    new, later = finished("j", "https://a.test/"), finished("j", "https://a.test/")
    later.log.add(unit_ended=job.UnitEnded(unit="asr.0009"))
    assert deliveries(None, later, {}) == deliveries(None, new, {})
    assert deliveries(new, later, {}) == []


def test_a_job_that_was_taken_up_again_is_told_again() -> None:
    old, new = finished("j", "https://a.test/"), finished("j", "https://a.test/")
    for state in (job.JOB_STATE_PROCESSING_ASR, job.JOB_STATE_FAILED):
        new.log.add(state_changed=job.JobStateChanged(state=state))
    first, second = deliveries(None, old, {}), deliveries(old, new, {})
    assert [first[0].event_id, second[0].event_id] == [
        "j/JOB_STATE_FAILED/3",
        "j/JOB_STATE_FAILED/5",
    ]


def test_receivers_of_another_tenant_hear_nothing() -> None:
    assert deliveries(None, finished("j", tenant="other"), TENANTS) == []


def test_the_event_says_how_the_job_ended_and_nothing_of_what_was_said() -> None:
    (told,) = deliveries(None, finished("j", "https://a.test/"), {})
    assert json.loads(body(told, "urn:maie:test")) == {
        "specversion": "1.0",
        "type": "maie.job.finished.v1",
        "source": "urn:maie:test",
        "id": "j/JOB_STATE_FAILED/3",
        "subject": "j",
        "time": "2026-02-03T04:05:06Z",
        "datacontenttype": "application/json",
        "data": {
            "job_id": "j",
            "state": "JOB_STATE_FAILED",
            "display_name": "Weekly",
            "labels": {"team": "red"},
            "tenant": "default",
            "failures": [{"code": 13, "reason": "ENGINE_FAILED", "message": "It broke."}],
        },
    }
    assert SECRET not in str(told)


def test_a_thousand_failures_make_no_large_event() -> None:
    source = finished("j", "https://a.test/")
    for _ in range(1000):
        source.units.add().CopyFrom(source.units[0])
    (told,) = deliveries(None, source, {})
    assert len(told.failures) == MAX_FAILURES


def test_what_nobody_asked_for_is_no_failure_of_the_job() -> None:
    source = finished("j", "https://a.test/")
    optional = source.units.add(unit="quality.reduce", is_optional=True)
    optional.failure.CopyFrom(source.units[0].failure)
    (told,) = deliveries(None, source, {})
    assert [failure.reason for failure in told.failures] == ["ENGINE_FAILED"]


def test_the_signature_is_the_one_that_openssl_computes() -> None:
    # printf '1700000000.{"a":1}' | openssl dgst -sha256 -hmac 'a secret of the receiver'
    assert signature("a secret of the receiver", "1700000000", b'{"a":1}') == (
        "sha256=719d43160dd8091f1cdca2473a26871d7f4f701b9c72dd2391c6e537c2ec685b"
    )


def test_tenants_are_set_as_json(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAIE_WEBHOOKS_TENANTS", json.dumps({"acme": [HOOK]}))
    monkeypatch.setenv("MAIE_WEBHOOKS_ALLOWED_NETWORKS", '["10.0.0.0/8", "fd00::/8"]')
    settings = WebhookSettings()
    assert settings.tenants["acme"][0].secret.get_secret_value() == HOOK["secret"]
    assert HOOK["secret"] not in repr(settings)
    assert len(settings.allowed_networks) == 2


def test_two_receivers_of_a_tenant_have_two_names() -> None:
    with pytest.raises(ValueError, match="same name"):
        WebhookSettings.model_validate({"tenants": {"acme": (HOOK, HOOK)}})
