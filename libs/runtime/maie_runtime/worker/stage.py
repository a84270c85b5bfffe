"""The interface of a stage. A stage imports neither grpc nor nats.

The same stage is mounted as a gRPC method (`rpc.mount`) and as a JetStream
task worker (`bus.task_worker`), and runs in one `host` under both. Its request
and response are the protobuf messages of the contract on both.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar, runtime_checkable

from maie.event.v1 import event_pb2 as event
from maie_runtime.blobs import Blobs
from maie_runtime.gpu.loadable import Loadable

RequestT = TypeVar("RequestT", contravariant=True)
ResponseT = TypeVar("ResponseT")


def ignore_heartbeat() -> None:
    """Ignores a heartbeat."""


@dataclass(kw_only=True, frozen=True, slots=True)
class StageContext:
    """The job identity and resources passed to Stage.run.

    Attributes:
        job_id: The job; a fresh name for a direct call.
        unit: The unit within the job, such as "asr.0003"; "direct" for a
            direct call.
        attempt: The attempt, from 1.
        blobs: The object store.
        folder: The folder of the object store that a stage may write to.
        heartbeat: To be called at each heartbeat of the work between responses; a unit without
            heartbeats is stopped as stalled.
    """

    job_id: str
    unit: str
    attempt: int
    blobs: Blobs
    folder: str
    heartbeat: Callable[[], None] = field(default=ignore_heartbeat, compare=False)


@dataclass(kw_only=True, frozen=True, slots=True)
class ResultFigures:
    """What a result says of itself, to be counted.

    Attributes:
        audio_seconds: How long its audio is; 0 where that is not measured.
        warnings: The reasons of its warnings, of `result_warnings.COUNTED_REASONS`.
    """

    audio_seconds: float = 0.0
    warnings: Sequence[str] = ()


class Stage(Protocol[RequestT, ResponseT]):
    """One kind of work, for every transport."""

    @property
    def weights(self) -> Loadable | None:
        """The model, if it can be unloaded to share a GPU; else None."""
        ...

    def run(self, request: RequestT, context: StageContext) -> AsyncGenerator[ResponseT, None]:
        """Processes one request.

        Yields updates; the last one is a result (`StageBinding.results`). Cancelling
        the iteration stops the engine, which stays usable for the next
        request. Blocking work runs outside the event loop.

        Raises:
            StageError: The work failed; see `errors.OUTCOMES`.
        """
        ...

    def facts(self, response: ResponseT) -> event.UnitFacts:
        """The facts in the last response that the conductor needs."""
        ...

    def models(self) -> Sequence[event.ModelInfo]:
        """The stage's models."""
        ...


class Streams(Protocol):
    """Answers calls with a stream of requests, which are no units.

    Attributes:
        limit: How many calls it takes at a time.
    """

    limit: int

    @property
    def tracks(self) -> int:
        """How many calls it has now."""
        ...

    def answer(self, requests: AsyncIterator[Any]) -> AsyncGenerator[Any, None]:
        """Answers one call. Closing the iteration ends its work.

        Raises:
            StageError: The call failed.
        """
        ...

    async def watch(self) -> None:
        """Waits as long as calls can be answered.

        Raises:
            StageError: The engine does not return; the process must end. All calls end soon.
        """
        ...

    async def drain(self) -> None:
        """Makes all calls end soon, since the service stops."""
        ...


@runtime_checkable
class OffersStreams(Protocol):
    """A Stage that answers the `stream` of its binding."""

    @property
    def streams(self) -> Streams | None:
        """What answers; None where it is turned off."""
        ...


@runtime_checkable
class NeedsServer(Protocol):
    """A Stage, or an engine, that can do nothing without a server beside the mesh."""

    def readiness(self) -> AsyncGenerator[bool, None]:
        """Yields whether the server can do its work, at each change; it can at first."""
        ...


@runtime_checkable
class MeasuresResults(Protocol):
    """A Stage whose results have figures for metrics."""

    def figures(self, request: Any, response: Any) -> ResultFigures:
        """The figures of the last response to a request."""
        ...


@dataclass(kw_only=True, frozen=True, slots=True)
class Batching:
    """What an engine does that works on several requests at once; all 0 where it does not.

    Attributes:
        batches: How many batches it ran.
        rows: What was in them in all: windows of audio, or sequences of a language model.
        running: The requests that it works on now.
        waiting: The requests that wait in its own queue.
    """

    batches: int = 0
    rows: int = 0
    running: int = 0
    waiting: int = 0


@runtime_checkable
class CountsBatches(Protocol):
    """A Stage, an engine or a model that works on several requests at once."""

    @property
    def batching(self) -> Batching:
        """What it did so far, and does now. Any thread may ask."""
        ...


def batching_of(part: object) -> Batching:
    """What an engine or a model did in batches; all 0 where it makes none."""
    return part.batching if isinstance(part, CountsBatches) else Batching()


async def readiness_of(part: object) -> AsyncGenerator[bool, None]:
    """Whether an engine's server can do its work, at each change; nothing where it has none."""
    if isinstance(part, NeedsServer):
        async with aclosing(part.readiness()) as changes:
            async for is_ready in changes:
                yield is_ready
