"""Hours of audio a day: what counts, for whom, on which day, and at which gateway."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import timedelta

import pytest

from maie.job.v1 import job_pb2 as job
from maie.job.v1 import record_pb2 as record
from maie_client import Client, ClientError
from maie_core.errors import StageError
from maie_gateway.limits.audio_hours import DAY_SECONDS, HOUR_SECONDS, AudioHours
from maie_gateway.limits.callers import CallerLimits
from maie_gateway.limits.settings import LimitSettings, TenantLimits
from maie_pipeline.live_session import LIVE_SESSION, LIVE_UNIT
from tests.gateway.access.conftest import eventually
from tests.gateway.conftest import EmptyMesh

pytestmark = pytest.mark.mesh

MIDNIGHT = 20_000 * DAY_SECONDS
SETTINGS = LimitSettings(
    audio_hours_per_day=2.0, tenants={"large": TenantLimits(audio_hours_per_day=3.0)}
)


class Day:
    """The audio of a day, by a clock that a test moves."""

    def __init__(self, settings: LimitSettings = SETTINGS) -> None:
        self.now = MIDNIGHT + 6 * HOUR_SECONDS
        self.limits = CallerLimits(settings)
        self.hours = AudioHours(self.limits, clock=lambda: self.now)

    def recording(self, name: str, hours: float | None, tenant: str = "acme") -> None:
        """A recording that was accepted now; its length may be unknown yet."""
        self.hours.changed(self._record(name, tenant, hours), 1)

    def session(self, name: str, *, runs: bool, hours: float = 0.0) -> None:
        """A live session that began now."""
        seen = self._record(name, "acme", None if runs else hours)
        seen.pipeline = LIVE_SESSION.name
        seen.units.add(
            unit=LIVE_UNIT, state=job.UNIT_STATE_QUEUED if runs else job.UNIT_STATE_COMPLETED
        )
        self.hours.changed(seen, 1)

    def is_spent(self, tenant: str = "acme") -> bool:
        """Whether a tenant gets no more."""
        try:
            self.hours.check(tenant)
        except StageError as error:
            left = MIDNIGHT + DAY_SECONDS - self.now
            return error.retry_after == timedelta(seconds=left)
        return False

    def _record(self, name: str, tenant: str, hours: float | None) -> record.JobRecord:
        seen = record.JobRecord(job_id=name, tenant=tenant)
        seen.log.add().event_time.FromNanoseconds(round(self.now * 1e9))
        if hours is not None:
            seen.facts.duration.FromNanoseconds(round(hours * HOUR_SECONDS * 1e9))
        return seen


def test_recordings_count_by_their_length_and_once() -> None:
    day = Day()
    day.recording("one", None)
    assert not day.is_spent()
    for _ in range(5):
        day.recording("one", 1.5)
    assert not day.is_spent()
    day.recording("two", 0.5)
    assert day.is_spent()
    assert not day.is_spent("other")


def test_a_tenant_may_have_more() -> None:
    day = Day()
    day.recording("one", 2.5, tenant="large")
    assert not day.is_spent("large")
    day.recording("two", 0.5, tenant="large")
    assert day.is_spent("large")


def test_the_next_day_begins_at_nothing() -> None:
    day = Day()
    day.recording("one", 2.0)
    assert day.is_spent()
    day.now = MIDNIGHT + DAY_SECONDS
    assert not day.is_spent()
    assert day.hours.used("acme") == 0.0


def test_a_session_counts_by_the_clock_and_then_by_its_length() -> None:
    day = Day()
    day.session("talk", runs=True)
    day.now += 2 * HOUR_SECONDS
    assert day.is_spent()
    day.now -= 2 * HOUR_SECONDS
    day.session("talk", runs=False, hours=0.25)
    assert day.hours.used("acme") == pytest.approx(0.25 * HOUR_SECONDS)


def test_a_deleted_job_counts_on_and_a_deleted_session_runs_no_more() -> None:
    day = Day()
    day.recording("one", 2.0)
    day.session("talk", runs=True)
    for name in ("one", "talk"):
        day.hours.gone(name, 2)
    day.now += HOUR_SECONDS
    assert day.hours.used("acme") == 2.0 * HOUR_SECONDS


def test_a_budget_that_is_set_later_counts_what_was_before() -> None:
    day = Day(LimitSettings())
    day.recording("one", 24.0)
    assert not day.is_spent()
    day.limits.replace({"acme": TenantLimits(audio_hours_per_day=20.0)})
    assert day.is_spent()
    day.limits.replace({})
    assert not day.is_spent()


async def sound() -> AsyncIterator[bytes]:
    """A recording."""
    yield b"x" * 9


async def limit_of(client: Client) -> str:
    """The limit that refuses a recording; empty where none does."""
    try:
        await client.create_job(sound(), features=["raw_transcript"])
    except ClientError as error:
        return error.limit
    return ""


async def test_all_gateways_know_what_a_tenant_had(empty_mesh: EmptyMesh) -> None:
    second = 1 / HOUR_SECONDS
    empty_mesh.gateway_options["limits"] = LimitSettings(
        audio_hours_per_day=0.5 * second, tenants={"free": TenantLimits(audio_hours_per_day=24)}
    )
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(empty_mesh.services())
        addresses = [await stack.enter_async_context(empty_mesh.gateway()) for _ in range(2)]
        here, there = [
            await stack.enter_async_context(Client(address, tenant="acme")) for address in addresses
        ]
        free = await stack.enter_async_context(Client(addresses[1], tenant="free"))
        assert await limit_of(here) == ""

        async def is_refused() -> bool:
            return await limit_of(there) == "tenant_audio_hours"

        assert await eventually(is_refused)
        assert await limit_of(free) == ""
        # A gateway that starts later reads it from the records.
        later = await stack.enter_async_context(empty_mesh.gateway())
        async with Client(later, tenant="acme") as client:
            assert await limit_of(client) == "tenant_audio_hours"
