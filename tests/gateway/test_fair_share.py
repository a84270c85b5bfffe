"""Whose turn it is."""

from __future__ import annotations

import pytest

from maie_gateway.engine.fair_share import due
from maie_gateway.records.changes import ActiveJob

pytestmark = pytest.mark.unit


def active(
    *,
    tenant: str = "acme",
    lane: str = "batch",
    held: bool = True,
    optional_since: float | None = None,
) -> ActiveJob:
    return ActiveJob(
        tenant=tenant,
        lane=lane,
        held=held,
        live=False,
        audio_due=False,
        runnable={},
        revision=1,
        since=0.0,
        optional_since=optional_since,
    )


def test_the_oldest_of_a_tenant_come_first_up_to_its_limit() -> None:
    jobs = {"5": active(), "3": active(), "4": active(), "1": active(held=False)}
    assert due(jobs, 3) == ["3", "4"]
    assert due(jobs, 1) == []


def test_a_limit_that_was_lowered_releases_nobody() -> None:
    jobs = {"1": active(held=False), "2": active(held=False), "3": active(), "4": active()}
    assert due(jobs, 1) == []


def test_tenants_and_lanes_do_not_wait_for_each_other() -> None:
    jobs = {
        "1": active(held=False),
        "2": active(),
        "3": active(tenant="other"),
        "4": active(lane="interactive"),
    }
    assert due(jobs, 1) == ["3", "4"]


def test_a_job_that_waits_for_what_nobody_asked_for_takes_no_place() -> None:
    jobs = {"1": active(held=False, optional_since=1.0), "2": active(), "3": active()}
    assert due(jobs, 1) == ["2"]
