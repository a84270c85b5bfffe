"""What a stage is. A stage imports neither grpc nor nats.

The same stage is mounted as a gRPC method (`rpc.mount`) and as a JetStream
task worker (`bus.task_worker`), and runs in one `host` under both. Its request
and response are the protobuf messages of the contract on both.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

from maie.event.v1 import event_pb2 as event
from maie_runtime.blobs import Blobs
from maie_runtime.loadable import Loadable

RequestT = TypeVar("RequestT", contravariant=True)
ResponseT = TypeVar("ResponseT")


def unheard() -> None:
    """A sign of life that nobody waits for."""


@dataclass(kw_only=True, frozen=True, slots=True)
class StageContext:
    """For whom a stage works, and with what.

    Attributes:
        job_id: The job; a fresh name for a direct call.
        unit: The unit within the job, such as "asr.0003"; "direct" for a
            direct call.
        attempt: The attempt, from 1.
        blobs: The object store.
        folder: The folder of the object store that a stage may write to.
        alive: To be called at each sign of life of the work that is no response; a unit without
            any for long is taken for stalled.
    """

    job_id: str
    unit: str
    attempt: int
    blobs: Blobs
    folder: str
    alive: Callable[[], None] = field(default=unheard, compare=False)


class Stage(Protocol[RequestT, ResponseT]):
    """One kind of work, whatever carries it."""

    @property
    def weights(self) -> Loadable | None:
        """The model, where it can be unloaded to share a GPU; None where not, or without one."""
        ...

    def run(self, request: RequestT, context: StageContext) -> AsyncGenerator[ResponseT, None]:
        """Works on one request.

        Yields updates as they come; the last one has `result` set. Cancelling
        the iteration stops the engine and leaves it usable for the next
        request. Blocking work runs outside the event loop.

        Raises:
            StageError: The work failed; see `errors.OUTCOMES`.
        """
        ...

    def facts(self, response: ResponseT) -> event.UnitFacts:
        """What the conductor must know of the last response to go on."""
        ...

    def models(self) -> Sequence[event.ModelInfo]:
        """The models that the stage holds."""
        ...
