"""Ends sessions, and hands their text to their jobs, in chunks."""

from __future__ import annotations

from collections.abc import Callable

import structlog

from maie.event.v1 import event_pb2 as event
from maie.job.v1 import job_pb2 as job
from maie.job.v1 import record_pb2 as record
from maie.live.v1 import live_pb2 as live
from maie.live.v1 import session_pb2 as session
from maie_core.errors import StageError
from maie_core.samples import SAMPLE_NANOSECONDS, duration, nanoseconds
from maie_gateway.live.ending.latencies import buckets
from maie_gateway.live.ending.transcript import transcripts
from maie_gateway.live.ending.voices import voices
from maie_gateway.live.ledger import Ledger
from maie_gateway.live.settings import CHUNK_SECONDS
from maie_gateway.live.state import SessionState, replay
from maie_gateway.records.about import about
from maie_gateway.records.store import GONE, JobStore
from maie_pipeline.live_session import LIVE_UNIT
from maie_pipeline.text import CHUNK_NODE
from maie_runtime import folders
from maie_runtime.blobs import Blobs
from maie_runtime.bus import subjects
from maie_runtime.bus.broker import Broker
from maie_runtime.bus.session_log import SessionLog
from maie_runtime.failpoints import failpoint

log = structlog.get_logger()

ASR = "asr"
Completed = Callable[[str], None]


async def end_session(ledger: Ledger, *, without_summary: bool = False) -> None:
    """Writes the last entry of a session.

    Raises:
        StageError: As `Ledger.commit`.
    """

    def ended(state: SessionState) -> session.SessionEntry:
        last = live.SessionEnded(
            job_id=state.session_id,
            audio_duration=duration(
                state.audio + sum(each.settled for each in state.tracks.values())
            ),
            final_count=state.final_count,
            latencies=buckets(state.latencies),
        )
        return session.SessionEntry(ended=last, without_summary=without_summary)

    await ledger.commit(ended)
    log.info("session.ended", finals=ledger.state.final_count)


class Endings:
    """Completes the unit of a session that has ended, so that its job goes on.

    Args:
        broker: Takes the event.
        blobs: Takes the transcripts.
        store: The job records.
        most_chunks: The most chunks of a job; 1 or more.
        gateway: This gateway's name.
        completed: Called with each session whose unit was reported completed.
    """

    def __init__(
        self,
        broker: Broker,
        blobs: Blobs,
        store: JobStore,
        most_chunks: int,
        gateway: str,
        completed: Completed,
    ) -> None:
        self._broker = broker
        self._most_chunks = most_chunks
        self._blobs = blobs
        self._store = store
        self._sessions = SessionLog(broker)
        self._gateway = gateway
        self._completed = completed

    async def complete(self, session_id: str) -> None:
        """Stores what became of a session, and reports its unit completed, unless that is done.

        Any gateway may do it again: the first completion of the unit's attempt counts.

        Raises:
            StageError: UNAVAILABLE: it is to be done again.
        """
        source = await self._record(session_id)
        unit = _due(source)
        if source is None or unit is None:
            return
        with about(source):
            await self._complete(session_id, unit)

    async def _complete(self, session_id: str, unit: record.Unit) -> None:
        entries = [logged.entry for logged in await self._sessions.read(session_id)]
        state = replay(entries)
        # As in a recording without speech, there may be nothing to work on.
        made = transcripts(entries, _chunk_length(state), self._most_chunks)
        prefix = f"{folders.of_job(session_id)}/{CHUNK_NODE}"
        outputs = [
            await self._blobs.put_message(f"{prefix}.{index:04d}", each)
            for index, each in enumerate(made)
        ]
        sounding = voices(entries, made)
        output = (
            await self._blobs.put_message(f"{folders.of_job(session_id)}/{LIVE_UNIT}", sounding)
            if sounding
            else None
        )
        await failpoint("session.after_transcript")
        facts = event.UnitFacts(
            chunk_count=len(made),
            duration=nanoseconds(_length(state)),
            punctuated=bool(made) and all(each.punctuated for each in made),
            without_summary=bool(entries) and entries[-1].without_summary,
        )
        completed = event.StageEvent(
            job_id=session_id,
            unit=LIVE_UNIT,
            attempt=unit.attempt,
            worker=self._gateway,
            completed=event.UnitCompleted(output=output, chunk_outputs=outputs, facts=facts),
        )
        completed.event_time.GetCurrentTime()
        await self._broker.publish(
            subjects.event(ASR, session_id),
            completed,
            message_id=f"{session_id}/{LIVE_UNIT}/{unit.attempt}/completed",
            contested=True,
        )
        self._completed(session_id)

    async def _record(self, session_id: str) -> record.JobRecord | None:
        """The record of the session's job; None where the job was removed."""
        try:
            return (await self._store.get(session_id)).record
        except StageError as error:
            if error.reason in GONE:
                return None
            raise


def _due(source: record.JobRecord | None) -> record.Unit | None:
    """The session's unit; None where it is over."""
    return next(
        (
            unit
            for unit in (source.units if source else ())
            if unit.unit == LIVE_UNIT and unit.state == job.UNIT_STATE_QUEUED
        ),
        None,
    )


def _chunk_length(state: SessionState | None) -> int:
    """The length that chunks aim at, in nanoseconds. The log alone decides: all gateways agree."""
    asked = state.opened.config.job if state is not None else job.JobConfig()
    # A gateway of an earlier version filled in none.
    return asked.chunk_duration.ToNanoseconds() or round(CHUNK_SECONDS * 1e9)


def _length(state: SessionState | None) -> int:
    """How long a session is, in nanoseconds."""
    if state is None:
        return 0
    ends = (each.offset + each.settled * SAMPLE_NANOSECONDS for each in state.tracks.values())
    return max((state.length, *ends))
