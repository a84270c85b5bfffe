"""Each line that a live session causes has its ids, in the gateway and in the ASR worker."""

from __future__ import annotations

import re
from functools import partial

import numpy as np
import pytest
import structlog
from structlog.contextvars import merge_contextvars
from structlog.testing import capture_logs

from maie_asr.live.engine import Effort
from maie_asr.settings import AsrSettings
from maie_core.telemetry import add_trace
from maie_pipeline.bindings import BINDINGS
from maie_runtime.worker.server import serve_stage
from tests.gateway.live.conftest import LiveMesh
from tests.gateway.live.conversation import talking
from tests.live_engine import InstantEngine, instant_stage, quiet, say

pytestmark = pytest.mark.mesh

log = structlog.get_logger()


async def test_a_reading_of_the_worker_has_the_ids_of_the_session_that_it_is_for(
    live_mesh: LiveMesh,
) -> None:
    sound = np.concatenate([say("alpha"), quiet(1.0), say("bravo"), quiet(1.0)]).tobytes()

    async def says(effort: Effort) -> None:
        log.info("engine.reads", effort=effort.name)

    with capture_logs([merge_contextvars, add_trace]) as lines:
        settings = AsrSettings(mesh=live_mesh.empty.mesh, listen="127.0.0.1:0")
        worker = partial(instant_stage, settings, InstantEngine(hook=says))
        serving = serve_stage(BINDINGS["asr"], settings, lambda _: worker())
        async with serving, live_mesh.gateway() as address:
            warmed_up, sessions = len(lines), {}
            for tenant in ("acme", "globex"):
                async with talking(address, tenant=tenant) as talk:
                    sessions[tenant] = (await talk.start()).session_id
                    await talk.audio("ann", sound)
                    await talk.next("final", 2)
                    await talk.end()
    for tenant, session_id in sessions.items():
        of_session = [line for line in lines if line.get("job") == session_id]
        assert {line["tenant"] for line in of_session} == {tenant}
        (trace_id,) = {line["trace_id"] for line in of_session}
        assert re.fullmatch(r"[0-9a-f]{32}", trace_id)
        events = {line["event"] for line in of_session}
        assert {"session.opened", "engine.reads", "session.ended"} <= events
    # Once the engine is warm, it reads for sessions alone.
    reads = [line for line in lines[warmed_up:] if line["event"] == "engine.reads"]
    assert {line.get("job") for line in reads} == set(sessions.values())
