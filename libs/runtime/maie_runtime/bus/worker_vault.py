"""A worker's vault: it asks gateways for the key of a job while it works on one of its units.

The key goes over the broker sealed to the worker, and is never stored. With it come keys of other
jobs that the worker's stage has work of.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter, OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta

from google.protobuf.message import DecodeError
from nats.aio.client import Client
from nats.errors import Error as NatsError

from maie.event.v1 import event_pb2 as event
from maie_core.errors import Code, StageError
from maie_core.reasons import Reason
from maie_runtime.bus import subjects
from maie_runtime.vault.boxes import Boxes
from maie_runtime.vault.data_key import DataKey
from maie_runtime.vault.vault import Vault

TIMEOUT_SECONDS = 5.0
RETRY_AFTER = timedelta(seconds=5)
# A worker is given the next unit of a job soon after the last one.
REMEMBERED_JOBS = 64
REMEMBERED_SECONDS = 60.0


def data_key_unavailable(why: str) -> StageError:
    """The error while a key cannot be had."""
    return StageError(
        Code.UNAVAILABLE,
        Reason.DATA_KEY_UNAVAILABLE,
        f"The key of the job's encrypted data cannot be had now: {why}; it is tried again.",
        retry_after=RETRY_AFTER,
    )


class WorkerVault(Vault):
    """The keys of the jobs that a worker works on.

    Args:
        slug: The worker's stage.
    """

    def __init__(self, slug: str, remembered_seconds: float = REMEMBERED_SECONDS) -> None:
        self._slug = slug
        self._remembered_seconds = remembered_seconds
        self._client = Client()
        self._boxes = Boxes()
        # The key used last comes last.
        self._known: OrderedDict[str, DataKey] = OrderedDict()
        self._used_at: dict[str, float] = {}
        self._held: Counter[str] = Counter()
        # Jobs whose keys came in advance, and are not used yet.
        self._unused: set[str] = set()
        self._asking: asyncio.Task[None] | None = None
        self._forgetting: asyncio.TimerHandle | None = None

    def connect(self, client: Client) -> None:
        """Uses a connection to NATS."""
        self._client = client

    @contextmanager
    def holding(self, job_id: str) -> Iterator[None]:
        """Keeps a job's key while the context lasts, once it is known."""
        self._held[job_id] += 1
        try:
            yield
        finally:
            self._held[job_id] -= 1
            if (key := self._known.get(job_id)) is not None:
                self._remember(key)
            if not self._held[job_id]:
                del self._held[job_id]
            self._forget()

    async def key(self, job_id: str) -> DataKey | None:
        """The key of a job whose sealed task is held; None for other jobs."""
        return self._known.get(job_id)

    async def opening_key(self, job_id: str) -> DataKey:
        """The key of a job whose data is sealed, asked for where it is not known.

        Raises:
            StageError: NOT_FOUND with DATA_KEY_GONE; UNAVAILABLE with DATA_KEY_UNAVAILABLE.
        """
        found = self._known.get(job_id) or await self._ask(job_id)
        self._remember(found)
        if job_id in self._unused:
            self._unused.discard(job_id)
            if not self._unused and self._asking is None:
                # While this unit runs, so that those after it need not wait.
                self._asking = asyncio.create_task(self._ask_for_others(job_id))
        return found

    async def _ask_for_others(self, job_id: str) -> None:
        try:
            # Where it fails, the unit that needs a key asks again.
            with suppress(StageError):
                await self._ask(job_id)
        finally:
            self._asking = None

    async def stop(self) -> None:
        """Asks for nothing more."""
        if self._asking is not None:
            self._asking.cancel()
            await asyncio.gather(self._asking, return_exceptions=True)

    async def _ask(self, job_id: str) -> DataKey:
        request = event.DataKeyRequest(public_key=self._boxes.public_key)
        try:
            answer = await self._client.request(
                subjects.data_key(self._slug, job_id),
                request.SerializeToString(),
                timeout=TIMEOUT_SECONDS,
            )
            response = event.DataKeyResponse.FromString(answer.data)
        except (NatsError, OSError) as error:
            raise data_key_unavailable("no gateway answers") from error
        except DecodeError as error:
            raise data_key_unavailable("the answer cannot be read") from error
        if response.HasField("failure"):
            failure = response.failure
            reason = Reason.__members__.get(failure.reason, Reason.DATA_KEY_UNAVAILABLE)
            raise StageError(Code(failure.code), reason, failure.message)
        try:
            for other in self._others(response):
                if other.job_id not in self._known:
                    self._unused.add(other.job_id)
                    self._remember(other)
            return DataKey(job_id, self._boxes.open(response.sealed_key, response.public_key))
        except (DecodeError, ValueError) as error:
            raise data_key_unavailable("the answer cannot be opened") from error

    def _others(self, response: event.DataKeyResponse) -> Iterator[DataKey]:
        if response.sealed_others:
            opened = self._boxes.open(response.sealed_others, response.public_key)
            for each in event.DataKeys.FromString(opened).keys:
                yield DataKey(each.job_id, each.key)

    def _remember(self, key: DataKey) -> None:
        # A known key stays, since what is derived from it was computed already.
        self._known.setdefault(key.job_id, key)
        self._known.move_to_end(key.job_id)
        self._used_at[key.job_id] = time.monotonic()
        if self._forgetting is None:
            loop = asyncio.get_running_loop()
            self._forgetting = loop.call_later(self._remembered_seconds, self._forget_unused)

    def _forget_unused(self) -> None:
        self._forgetting = None
        self._forget()
        if self._known:
            loop = asyncio.get_running_loop()
            self._forgetting = loop.call_later(self._remembered_seconds, self._forget_unused)

    def _forget(self) -> None:
        """Forgets keys of jobs that it does not work on: the oldest, and the unused ones."""
        oldest = time.monotonic() - self._remembered_seconds
        for job_id in tuple(self._known):
            if len(self._known) <= REMEMBERED_JOBS and self._used_at[job_id] > oldest:
                return
            if job_id not in self._held:
                del self._known[job_id], self._used_at[job_id]
                self._unused.discard(job_id)
