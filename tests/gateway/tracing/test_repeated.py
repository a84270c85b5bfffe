"""What other tests promise of cancellation, deadlines and backpressure holds with tracing on."""

from __future__ import annotations

import pytest

from tests.collector import Collector
from tests.gateway.live.conftest import live_mesh
from tests.gateway.live.test_jobs import (
    test_a_cancelled_session_ends_and_can_be_taken_up as test_sessions_are_cancelled,
)
from tests.gateway.live.test_limits import (
    test_a_gateway_reads_no_more_than_it_can_keep as test_live_audio_waits,
)
from tests.gateway.test_job_actions import (
    test_a_cancelled_job_can_be_taken_up_again as test_jobs_are_cancelled,
)
from tests.gateway.test_slow_uploads import (
    test_an_upload_that_never_ends_is_ended as test_uploads_have_a_deadline,
)

__all__ = [
    "live_mesh",
    "test_jobs_are_cancelled",
    "test_live_audio_waits",
    "test_sessions_are_cancelled",
    "test_uploads_have_a_deadline",
]

pytestmark = pytest.mark.mesh


@pytest.fixture(autouse=True)
def traced(collector: Collector) -> Collector:
    """Tracing is on in all parts."""
    return collector
