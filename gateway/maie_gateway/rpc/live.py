"""LiveService: speech in, text out while it is spoken."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from typing import Any

from maie.live.v1 import live_pb2 as live
from maie.live.v1 import live_pb2_grpc
from maie_core.caller import current_caller
from maie_core.trace_context import current_traceparent
from maie_gateway.audit.about import is_about
from maie_gateway.live.opening import Openings
from maie_gateway.live.roster import progress
from maie_gateway.live.sessions import Sessions
from maie_gateway.live.state import replay


class LiveService(live_pb2_grpc.LiveServiceServicer):
    """Serves maie.live.v1.LiveService; callers see their tenant's sessions only."""

    def __init__(self, sessions: Sessions, openings: Openings) -> None:
        self._sessions = sessions
        self._openings = openings

    async def Transcribe(
        self, request_iterator: AsyncIterator[live.TranscribeRequest], context: Any
    ) -> AsyncGenerator[live.TranscribeResponse, None]:
        """Transcribes a session, or goes on with one."""
        tenant, traceparent = current_caller().tenant, current_traceparent()
        call = self._sessions.call(request_iterator, tenant, traceparent)
        async with aclosing(call) as events:
            async for event in events:
                is_about(job_id=event.started.session_id)
                yield event

    async def GetSession(
        self, request: live.GetSessionRequest, context: Any
    ) -> live.GetSessionResponse:
        """Returns how far a session is."""
        entries = await self._openings.read(
            request.session_id, request.resume_token, current_caller().tenant
        )
        is_about(job_id=request.session_id)
        state = replay(logged.entry for logged in entries)
        assert state is not None
        return live.GetSessionResponse(
            ended=state.ended is not None,
            last_sequence=state.sequence,
            tracks=progress(state),
        )
