"""Begins sessions and takes them over."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

import structlog
import uuid_utils

from maie.job.v1 import record_pb2 as record
from maie.live.v1 import live_pb2 as live
from maie.live.v1 import session_pb2 as session
from maie_core.errors import Code, StageError
from maie_core.names import is_uuid
from maie_core.reasons import Reason
from maie_gateway.conductor import accept, is_live
from maie_gateway.engine.loop import Conductor
from maie_gateway.intake.snapshots import Snapshots
from maie_gateway.intake.submission import PIPELINE_VERSION
from maie_gateway.live.config import (
    has_summary,
    settled_session,
    summary_not_requested,
    without_secrets,
)
from maie_gateway.live.ending.endings import end_session
from maie_gateway.live.ledger import Ledger, durable_event
from maie_gateway.records.about import about, about_job
from maie_gateway.records.store import GONE, JobStore
from maie_gateway.vault.data_keys import JobKeys
from maie_pipeline.live_session import LIVE_SESSION, LIVE_SESSION_WITH_AUDIO
from maie_runtime.bus.session_log import LoggedEntry, SessionLog
from maie_runtime.failpoints import failpoint

log = structlog.get_logger()

TOKEN_BYTES = 32
CheckConfig = Callable[[live.SessionConfig], Awaitable[None]]


@dataclass(kw_only=True, frozen=True, slots=True)
class Opened:
    """A session that a call has.

    Attributes:
        ledger: Its log; of a session that has ended, it takes no more.
        token: The resume token of a new session; empty otherwise.
        missed: The durable events that the client lacks.
        traceparent: The trace context of the session's job; empty where it is not needed.
    """

    ledger: Ledger
    token: str = field(default="", repr=False)
    missed: tuple[live.TranscribeResponse, ...] = ()
    traceparent: str = ""


class Openings:
    """Begins sessions, and takes them over for calls that resume them.

    Args:
        sessions: The logs of sessions.
        store: The job records.
        conductor: Begins jobs.
        snapshots: Stores the templates of summaries.
        keys: Makes the key of a session that is encrypted.
        check: Further checks of a config.
        chunk_seconds: The length of chunks where a config names none.
        gateway: This gateway's name.
    """

    def __init__(
        self,
        *,
        sessions: SessionLog,
        store: JobStore,
        conductor: Conductor,
        snapshots: Snapshots,
        keys: JobKeys,
        check: CheckConfig,
        chunk_seconds: float,
        gateway: str,
    ) -> None:
        self._sessions = sessions
        self._store = store
        self._conductor = conductor
        self._snapshots = snapshots
        self._keys = keys
        self._check = check
        self._chunk_seconds = chunk_seconds
        self._gateway = gateway

    async def begin(self, asked: live.SessionConfig, tenant: str, traceparent: str) -> Opened:
        """Begins a session and its job.

        Raises:
            StageError: INVALID_ARGUMENT naming the invalid field; UNAVAILABLE.
        """
        config = settled_session(asked, self._chunk_seconds)
        if config.job.template_id:
            await self._snapshots.check(tenant, config.job.template_id)
        await self._check(config)
        session_id = str(uuid_utils.uuid7())
        await self._keys.make(session_id)
        blob, template = await self._snapshots.store(tenant, session_id, config.job.template_id)
        step = accept(
            job_id=session_id,
            config=config.job,
            recording=None,
            template=blob,
            template_sha256=template.sha256,
            template_version=template.version,
            pipeline_version=PIPELINE_VERSION,
            traceparent=traceparent,
            now=datetime.now(UTC),
            tenant=tenant,
            pipeline=(LIVE_SESSION_WITH_AUDIO if config.keep_audio else LIVE_SESSION).name,
        )
        shown = without_secrets(config)
        # The record first: a job has one before its first message anywhere else.
        await self._conductor.begin(step)
        await failpoint("session.after_begin")
        token = secrets.token_urlsafe(TOKEN_BYTES)
        first = session.SessionOpened(tenant=tenant, config=shown, token_sha256=_digest(token))
        ledger = await Ledger.open(self._sessions, session_id, first, self._gateway)
        with about(step.record):
            log.info("session.opened")
        return Opened(ledger=ledger, token=token, traceparent=traceparent)

    async def resume(self, start: live.StartSession, tenant: str) -> Opened:
        """Takes a session over. One that has ended is only read.

        Raises:
            StageError: NOT_FOUND with SESSION_NOT_FOUND, PERMISSION_DENIED with
                RESUME_TOKEN_INVALID, FAILED_PRECONDITION with SESSION_ENDED: it has ended, and
                the client has all of its events and waits for no summary; INVALID_ARGUMENT with
                SUMMARY_NOT_REQUESTED; UNAVAILABLE.
        """
        entries = await self.read(start.session_id, start.resume_token, tenant)
        traceparent = ""
        if not entries[-1].entry.HasField("ended"):
            ledger = await Ledger.take(self._sessions, start.session_id, self._gateway)
            if ledger is None:
                raise _not_found(start.session_id)
            await failpoint("session.after_taken")
            source = await self._record(start.session_id)
            traceparent = source.traceparent
            if ledger.state.ended is None and not is_live(source):
                # Cancelled while no gateway had it.
                await end_session(ledger)
            entries = await self._sessions.read(start.session_id)
        else:
            ledger = Ledger.read_only(self._sessions, entries)
        events = (durable_event(logged.entry) for logged in entries)
        missed = tuple(
            each for each in events if each is not None and each.sequence > start.after_sequence
        )
        if ledger.state.ended is not None:
            _check_ended(start, entries, missed)
        with about_job(start.session_id, tenant, traceparent):
            log.info("session.resumed", epoch=ledger.state.epoch)
        return Opened(ledger=ledger, missed=missed, traceparent=traceparent)

    async def read(self, session_id: str, token: str, tenant: str) -> list[LoggedEntry]:
        """The entries of a caller's own session; at least one.

        Raises:
            StageError: NOT_FOUND with SESSION_NOT_FOUND, PERMISSION_DENIED with
                RESUME_TOKEN_INVALID, or UNAVAILABLE.
        """
        # First the one entry that says whose it is, so that the time of the answer does not say
        # whether there is a session of another tenant.
        first = await self._sessions.first(_checked(session_id))
        if first is None or first.entry.opened.tenant != tenant:
            raise _not_found(session_id)
        if not hmac.compare_digest(_digest(token), first.entry.opened.token_sha256):
            raise StageError(
                Code.PERMISSION_DENIED,
                Reason.RESUME_TOKEN_INVALID,
                "The resume token is not the session's; send the one that `started` gave.",
                field="start.resume_token",
            )
        if not (entries := await self._sessions.read(session_id)):
            raise _not_found(session_id)
        return entries

    async def _record(self, session_id: str) -> record.JobRecord:
        try:
            return (await self._store.get(session_id)).record
        except StageError as error:
            if error.reason in GONE:
                raise _not_found(session_id) from None
            raise


def _check_ended(
    start: live.StartSession,
    entries: Sequence[LoggedEntry],
    missed: Sequence[live.TranscribeResponse],
) -> None:
    """Refuses a call of a session that has ended, where there is nothing left to give it."""
    if not start.await_summary and not missed:
        raise _ended(start.session_id)
    config, last = entries[0].entry.opened.config, entries[-1].entry
    if start.await_summary and (last.without_summary or not has_summary(config)):
        raise summary_not_requested("start.await_summary")


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def _checked(session_id: str) -> str:
    if not is_uuid(session_id):
        raise _not_found("of this id")
    return session_id


def _not_found(session_id: str) -> StageError:
    return StageError(
        Code.NOT_FOUND,
        Reason.SESSION_NOT_FOUND,
        f"There is no live session {session_id}; check the id and the tenant.",
    )


def _ended(session_id: str) -> StageError:
    return StageError(
        Code.FAILED_PRECONDITION,
        Reason.SESSION_ENDED,
        f"The session has ended; its transcript is in the job {session_id}.",
    )
