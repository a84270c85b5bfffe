"""Gives workers the keys of the jobs that they have work of."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from itertools import islice

import structlog
from google.protobuf.message import DecodeError

from maie.common.v1 import types_pb2 as common
from maie.event.v1 import event_pb2 as event
from maie.job.v1 import record_pb2 as record
from maie_core.errors import StageError
from maie_core.reasons import Reason
from maie_gateway.records.about import about_known
from maie_gateway.records.changes import JobChanges
from maie_gateway.records.store import GONE, JobStore
from maie_gateway.vault.data_keys import DataKeys
from maie_pipeline.bindings import BINDINGS
from maie_pipeline.states import ENDED_STATES
from maie_runtime.bus import subjects
from maie_runtime.bus.broker import BROKER_ERRORS, Broker, broker_unavailable
from maie_runtime.bus.types import Msg
from maie_runtime.vault.boxes import Boxes
from maie_runtime.vault.vault import data_key_gone

log = structlog.get_logger()

QUEUE = "gateways"
# How many keys of other jobs come with an answer; a worker remembers more.
OTHERS = 32


class KeyService:
    """Answers workers.

    A worker gets the key of a job only while a unit of its stage is not done. So a worker's
    credentials let a person read what is being worked on, and not all that was ever stored. With it
    come keys of other jobs of which the same is true, so that a worker with many units to do asks
    once for many.

    Args:
        broker: The broker.
        keys: The keys.
        store: The job records.
        changes: Has the records that changed last.
    """

    def __init__(
        self, broker: Broker, keys: DataKeys, store: JobStore, changes: JobChanges
    ) -> None:
        self._changes = changes
        self._boxes = Boxes()
        self._broker = broker
        self._keys = keys
        self._store = store

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Answers while the context lasts; one gateway answers each request."""
        try:
            serving = await self._broker.client.subscribe(
                subjects.data_key("*", "*"), queue=QUEUE, cb=self._on_request
            )
        except BROKER_ERRORS as error:
            raise broker_unavailable(error) from error
        try:
            yield
        finally:
            with suppress(*BROKER_ERRORS):
                await serving.unsubscribe()

    async def _on_request(self, message: Msg) -> None:
        stage, job_id = message.subject.split(".")[2:4]
        response = event.DataKeyResponse()
        try:
            request = event.DataKeyRequest.FromString(message.data)
            await self._check(stage, job_id)
            key = await self._keys.opening_key(job_id)
            response.sealed_key = self._boxes.seal(key.secret, request.public_key)
            response.public_key = self._boxes.public_key
            if others := list(islice(self._others(stage, job_id), OTHERS)):
                keys = event.DataKeys(keys=others).SerializeToString()
                response.sealed_others = self._boxes.seal(keys, request.public_key)
        except (DecodeError, ValueError):
            return  # it is no request
        except StageError as error:
            if error.reason != Reason.DATA_KEY_GONE:
                with about_known(self._changes, job_id):
                    log.warning("vault.key_not_given", stage=stage, reason=error.reason)
            response.failure.CopyFrom(error.to_failure(""))
        with suppress(*BROKER_ERRORS):
            await message.respond(response.SerializeToString())

    def _others(self, stage: str, asked: str) -> Iterator[event.JobDataKey]:
        """The keys of other jobs that the stage has work of, the oldest first."""
        wanted = _stage_of(stage)
        for job_id, each in self._changes.active_jobs.items():
            if job_id != asked and wanted in each.runnable and (key := self._keys.known(job_id)):
                yield event.JobDataKey(job_id=job_id, key=key.secret)

    async def _check(self, stage: str, job_id: str) -> None:
        """Refuses where no unit of the stage is to be done; word for word as for no job at all."""
        # This gateway may have seen that the stage has work; that it has none, only the store says.
        recent = self._changes.recent(job_id)
        if recent is not None and _has_work(stage, recent.record):
            return
        try:
            stored = await self._store.get(job_id)
        except StageError as error:
            if error.reason in GONE:
                raise data_key_gone(job_id) from error
            raise
        if not _has_work(stage, stored.record):
            raise data_key_gone(job_id)


def _has_work(stage: str, of: record.JobRecord) -> bool:
    """Whether a unit of the stage is not over."""
    wanted = _stage_of(stage)
    return any(unit.stage == wanted and unit.state not in ENDED_STATES for unit in of.units)


def _stage_of(slug: str) -> common.Stage | None:
    return BINDINGS[slug].stage if slug in BINDINGS else None
