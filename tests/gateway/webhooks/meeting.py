"""A session whose finals a test writes to its log, as a gateway does."""

from __future__ import annotations

from typing import Self

import uuid_utils

from maie.asr.v1 import streaming_pb2 as asr
from maie.common.v1 import types_pb2 as common
from maie.job.v1 import job_pb2 as job
from maie.job.v1 import record_pb2 as record
from maie.live.v1 import live_pb2 as live
from maie.live.v1 import session_pb2 as session
from maie_gateway.live.ledger import Ledger
from maie_gateway.live.state import SessionState, utterance_id
from maie_gateway.records.store import JobStore
from maie_runtime.bus.broker import Broker
from maie_runtime.bus.session_log import SessionLog
from tests.gateway.webhooks.receiver import SECRET

FINALS = (job.WEBHOOK_EVENT_LIVE_FINAL,)


class Meeting:
    """A session that runs, with its job.

    Args:
        ledger: Its log.
    """

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    @classmethod
    async def begin(
        cls,
        broker: Broker,
        *urls: str,
        tenant: str = "default",
        events: tuple[job.WebhookEvent, ...] = FINALS,
        tracks: int = 1,
        secret: str = SECRET,
    ) -> Self:
        """A session with tracks and webhooks."""
        hooks = [job.Webhook(url=url, secret=secret, events=events) for url in urls]
        session_id = str(uuid_utils.uuid7())
        running = record.JobRecord(
            job_id=session_id,
            state=job.JOB_STATE_PROCESSING_ASR,
            tenant=tenant,
            config=job.JobConfig(webhooks=hooks),
        )
        running.log.add(accepted=job.JobAccepted(job_id=session_id))
        await JobStore(broker).create(running)
        shown = [job.Webhook(url=hook.url, events=hook.events) for hook in hooks]
        config = live.SessionConfig(job=job.JobConfig(webhooks=shown))
        first = session.SessionOpened(tenant=tenant, config=config)
        made = cls(await Ledger.open(SessionLog(broker), session_id, first, "test"))
        for number in range(1, tracks + 1):
            join = live.TrackJoin(track=f"speaker {number}")
            began = session.TrackBegan(join=join, number=number)
            await made._commit(session.SessionEntry(track_began=began))
        return made

    @property
    def session_id(self) -> str:
        """The session's id."""
        return self._ledger.state.session_id

    def ids(self, count: int, track: int = 1) -> list[str]:
        """The ids of the events of a track's first finals."""
        return [f"{self.session_id}/{utterance_id(track, number + 1)}" for number in range(count)]

    async def say(self, count: int = 1, track: int = 1) -> None:
        """Stores finals of a track."""
        for _ in range(count):
            await self._ledger.commit(lambda state: _finished(state, track))

    async def settle(self) -> None:
        """Stores an entry that is no final."""
        await self._commit(session.SessionEntry(settled=session.TracksSettled()))

    async def _commit(self, entry: session.SessionEntry) -> None:
        await self._ledger.commit(lambda _: entry)


def _finished(state: SessionState, track: int) -> session.SessionEntry:
    known = state.track(track)
    utterance = known.mark.next_utterance
    segment = common.Segment(
        segment_id=utterance_id(track, utterance),
        text=f"Sentence {utterance}.",
        confidence=0.5,
        track=track,
    )
    segment.end_offset.FromMilliseconds(utterance * 1500)
    word = segment.words.add(word="Sentence", confidence=0.5)
    word.end_offset.FromMilliseconds(500)
    final = live.Final(
        track=known.join.track,
        segment=segment,
        language_code="en",
        reason=asr.END_REASON_SILENCE,
    )
    final.latency.FromMilliseconds(250)
    mark = session.TrackMark(number=track, next_utterance=utterance + 1)
    return session.SessionEntry(finished=session.UtteranceFinished(final=final, mark=mark))
