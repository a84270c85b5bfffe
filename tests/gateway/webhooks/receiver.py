"""A receiver of webhooks on 127.0.0.1 that answers as a test defines."""

from __future__ import annotations

import hashlib
import hmac
import json
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from standardwebhooks import Webhook, WebhookVerificationError

from maie.common.v1 import types_pb2 as common
from maie.job.v1 import job_pb2 as job
from maie.job.v1 import record_pb2 as record
from tests.conftest import free_port
from tests.waiting import until

SECRET = "a secret of the receiver's own"
Answer = Callable[[int], Awaitable[web.StreamResponse]]


async def accept(_: int) -> web.StreamResponse:
    return web.Response(status=204)


@dataclass(kw_only=True, frozen=True)
class Received:
    """One request as it came."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def event(self) -> dict[str, Any]:
        """The CloudEvent."""
        return dict(json.loads(self.body))

    @property
    def signed(self) -> bool:
        """Whether both signatures are right: ours by hand, the other by the official library."""
        signed = self.headers["maie-timestamp"].encode() + b"." + self.body
        expected = hmac.new(SECRET.encode(), signed, hashlib.sha256).hexdigest()
        ours = self.headers["maie-signature"] == f"sha256={expected}"
        return ours and self.verified_by(SECRET.encode())

    def verified_by(self, key: str | bytes) -> bool:
        """Whether the library of Standard Webhooks accepts it, and it names the event.

        Args:
            key: A secret in `whsec_` form, or the key's bytes.
        """
        try:
            event = Webhook(key).verify(self.body, self.headers)
        except WebhookVerificationError:
            return False
        return bool(event["id"] == self.headers["webhook-id"])


@dataclass(kw_only=True)
class Receiver:
    """Counts what comes and answers what `answer` gives for the request's number, from 1."""

    answer: Answer = accept
    tls: ssl.SSLContext | None = None
    port: int = field(default_factory=free_port)
    received: list[Received] = field(default_factory=list)
    inside: int = 0
    most_inside: int = 0

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}/hook"

    @property
    def ids(self) -> list[str]:
        """The ids of the events in the order in which they came."""
        return [request.event["id"] for request in self.received]

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Receiver]:
        """Listens as long as the context lasts."""
        runner = web.ServerRunner(web.Server(self._handle), shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", self.port, ssl_context=self.tls).start()
        try:
            yield self
        finally:
            await runner.cleanup()

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        headers = {name.lower(): value for name, value in request.headers.items()}
        self.received.append(
            Received(path=request.path_qs, headers=headers, body=await request.read())
        )
        self.inside += 1
        self.most_inside = max(self.most_inside, self.inside)
        try:
            return await self.answer(len(self.received))
        finally:
            self.inside -= 1

    async def wait_for(self, count: int) -> None:
        """Waits until so many requests came."""
        await until(lambda: len(self.received) >= count)


def finished(job_id: str, *urls: str, tenant: str = "default") -> record.JobRecord:
    """The record of a job that failed and has webhooks."""
    stored = record.JobRecord(
        job_id=job_id,
        state=job.JOB_STATE_FAILED,
        tenant=tenant,
        display_name="Weekly",
        labels={"team": "red"},
        config=job.JobConfig(webhooks=[job.Webhook(url=url, secret=SECRET) for url in urls]),
    )
    stored.log.add(accepted=job.JobAccepted(job_id=job_id))
    stored.log.add(state_changed=job.JobStateChanged(state=job.JOB_STATE_PENDING))
    unit = stored.units.add(unit="asr.0001", state=job.UNIT_STATE_FAILED)
    unit.failure.CopyFrom(common.Failure(code=13, reason="ENGINE_FAILED", message="It broke."))
    entry = stored.log.add(state_changed=job.JobStateChanged(state=job.JOB_STATE_FAILED))
    entry.event_time.FromJsonString("2026-02-03T04:05:06Z")
    return stored
