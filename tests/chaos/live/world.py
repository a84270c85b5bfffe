"""A mesh for live speech to be broken: two gateways, two ASR replicas with a real engine."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, ExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import TypeVar

import psutil

from maie_cli.mesh.broker import credentials
from maie_cli.mesh.local import LocalMesh
from maie_cli.mesh.options import MeshOptions
from maie_cli.mesh.parts import GATEWAY, NATS
from maie_client import Client, ClientError
from maie_core.errors import StageError
from maie_core.models import MANIFEST, model_store
from maie_core.settings import MeshSettings
from maie_runtime.bus.broker import BROKER_ERRORS, Broker, open_broker
from maie_runtime.bus.rights import OPERATOR
from maie_runtime.bus.session_log import LoggedEntry
from tests.chaos.cluster.mesh import ClusterMesh
from tests.chaos.disk import SmallDisk, small_disk
from tests.chaos.live.journal import Heard
from tests.chaos.live.receiver import Receiver
from tests.chaos.world import ROOT, now
from tests.second_gateway import SECOND_GATEWAY, start_second_gateway

MODEL = "whisper-tiny.en"
GATEWAYS = (GATEWAY, SECOND_GATEWAY)
REPLICAS = ("asr", "asr-2")
ENHANCEMENT, SUMMARY = "enhancement", "summary"
# Of the mesh's parts, those that live speech needs.
PARTS = (*REPLICAS, *GATEWAYS, NATS)
# A replica that answers nothing for so long is left for the other.
FREEZE_SECONDS = 4.0
LINGER_SECONDS = 2.0
RESUME_SECONDS = 60.0
SWEEP_SECONDS = 5.0
# A part that was killed again and again is started after 30 s.
READY_SECONDS = 120.0
SETTINGS = {
    "MAIE_GATEWAY_LIVE_FREEZE_SECONDS": str(FREEZE_SECONDS),
    "MAIE_GATEWAY_LIVE_LINGER_SECONDS": str(LINGER_SECONDS),
    "MAIE_GATEWAY_LIVE_RESUME_SECONDS": str(RESUME_SECONDS),
    "MAIE_GATEWAY_LIVE_SWEEP_SECONDS": str(SWEEP_SECONDS),
    # While sessions go on, and not only at their end.
    "MAIE_GATEWAY_LIVE_REFINEMENT_WAIT_SECONDS": "0.5",
    "MAIE_GATEWAY_MAX_ACTIVE_JOBS": "1000",
    "MAIE_WEBHOOKS_ALLOWED_NETWORKS": '["127.0.0.0/8"]',
    "MAIE_WEBHOOKS_RETRY_MAX_SECONDS": "2",
    "MAIE_WEBHOOKS_BREAKER_PAUSE_SECONDS": "2",
    "MAIE_ASR_ENGINE": "whisper",
    "MAIE_ASR_WHISPER_CPU_THREADS": "1",
    "MAIE_ASR_LANGUAGE_CODE": "en",
    # What is refused on a busy machine is no fault that is looked for here.
    "MAIE_ASR_LIVE_WORKERS": "8",
    "MAIE_ASR_LIVE_TRACKS": "64",
}
# A gateway that is away, or that a busy machine makes slow.
UNANSWERED = ("UNAVAILABLE", "DEADLINE_EXCEEDED")
Answer = TypeVar("Answer")


def no_model() -> str | None:
    """Why there is no engine for live speech here; None where there is one."""
    if (model_path() / MANIFEST).is_file():
        return None
    return f"there is no model {MODEL}; `maie models pull {MODEL}` fetches it"


def model_path() -> Path:
    """Where the model of the replicas is."""
    return model_store(MeshSettings().models_dir) / MODEL


@dataclass(kw_only=True)
class LiveWorld:
    """A running mesh for live speech.

    Attributes:
        mesh: The mesh.
        broker: A connection of its own, which reads the logs of sessions.
        clients: A client of each gateway.
        chance: Where all chance comes from, so that a seed repeats a trial.
        folder: Where journals are.
        undisturbed: Each text as it is read where nothing is broken, by how it is sent and its
            number.
        disk: The small disk of the broker, if it has one.
        receiver: The receiver of finals of a trial that has one.
    """

    mesh: LocalMesh
    broker: Broker
    clients: tuple[Client, ...]
    chance: random.Random
    folder: Path
    undisturbed: dict[tuple[str, int], str] = field(default_factory=dict)
    disk: SmallDisk | None = None
    receiver: Receiver | None = None

    def gateways(self) -> list[str]:
        """The addresses of the gateways, in an order by chance."""
        addresses = [self.mesh.children[name].part.address for name in GATEWAYS]
        return self.chance.sample(addresses, len(addresses))

    def send(self, part: str, number: signal.Signals) -> None:
        """Sends a signal to a part, if it runs."""
        self.mesh.children[part].signal(number)

    async def well(self) -> None:
        """Waits until each part is ready.

        Raises:
            MeshError: One does not become ready.
        """
        await asyncio.gather(
            *(self.mesh.children[part].wait_ready(READY_SECONDS) for part in PARTS)
        )

    async def ask(
        self, question: Callable[[Client], Awaitable[Answer]], patience: float = READY_SECONDS
    ) -> Answer:
        """Asks one gateway after another until one answers.

        Raises:
            ClientError: What they answer instead.
        """
        deadline = now() + patience
        while True:
            for client in self.clients:
                try:
                    return await question(client)
                except ClientError as error:
                    if error.code.name not in UNANSWERED or now() > deadline:
                        raise
            await asyncio.sleep(0.2)

    async def of_broker(self, question: Callable[[], Awaitable[Answer]]) -> Answer:
        """Asks the broker until it answers."""
        deadline = now() + READY_SECONDS
        while True:
            try:
                return await question()
            except (*BROKER_ERRORS, StageError):
                if now() > deadline:
                    raise
            await asyncio.sleep(0.2)

    def memory(self) -> dict[str, float]:
        """The resident memory of each part with its processes, in MiB."""
        return {part: _memory(self.mesh.children[part].pid) for part in PARTS}


@asynccontextmanager
async def live_world(
    data: Path,
    seed: int,
    *,
    on_small_disk: bool = False,
    engine: Sequence[str] = (),
    real: Collection[str] = (),
    environment: Mapping[str, str] = MappingProxyType({}),
    servers: int = 1,
) -> AsyncIterator[LiveWorld]:
    """A mesh for live speech; its other stages do nothing, but for those that are said.

    Args:
        data: Where its files are.
        seed: Where chance comes from.
        on_small_disk: Whether its broker is on a small disk.
        engine: The command of its ASR replicas; empty for the service with Whisper.
        real: Its stages after ASR whose services are real ones.
        environment: Further settings.
        servers: How many servers its broker has: 1 or 3.
    """
    settings = SETTINGS | {
        "PYTHONPATH": os.fspath(ROOT),
        "MAIE_ASR_WHISPER_MODEL_PATH": os.fspath(model_path()),
        **environment,
    }
    commands: dict[str, tuple[str, ...]] = {
        stage: (sys.executable, "-m", "tests.chaos.service", stage)
        for stage in ("preprocess", ENHANCEMENT, SUMMARY)
        if stage not in real
    }
    if engine:
        commands["asr"] = tuple(engine)
    options = MeshOptions(
        data=data,
        port_base=0,
        workers={"asr": len(REPLICAS)},
        environment=settings,
        commands=commands,
    )
    with ExitStack() as stack:
        disk = stack.enter_context(small_disk(data / "nats")) if on_small_disk else None
        async with _mesh(options, servers) as mesh:
            await start_second_gateway(mesh)
            addresses = [mesh.children[name].part.address for name in GATEWAYS]
            async with (
                _connected(mesh) as broker,
                Client(addresses[0]) as first,
                Client(addresses[1]) as second,
            ):
                yield LiveWorld(
                    mesh=mesh,
                    broker=broker,
                    clients=(first, second),
                    chance=random.Random(seed),
                    folder=data.with_name(f"{data.name}-journals"),
                    disk=disk,
                )


def _mesh(options: MeshOptions, servers: int) -> LocalMesh:
    if servers == 1:
        return LocalMesh(options, lambda _: None)
    return ClusterMesh(options, lambda _: None, None)


def _connected(mesh: LocalMesh) -> AbstractAsyncContextManager[Broker]:
    if isinstance(mesh, ClusterMesh):
        return mesh.connected()
    url = f"nats://{mesh.children[NATS].part.address}"
    return open_broker(url, "chaos", credentials=credentials(mesh.layout, OPERATOR))


def of_log(entries: Sequence[LoggedEntry]) -> list[Heard]:
    """The finals of a session's log."""
    return [
        Heard(
            utterance=each.entry.finished.final.segment.segment_id,
            text=each.entry.finished.final.segment.text,
            track=each.entry.finished.final.track,
            channel=each.entry.finished.final.segment.channel,
            sequence=each.entry.sequence,
        )
        for each in entries
        if each.entry.HasField("finished")
    ]


def _memory(pid: int | None) -> float:
    if pid is None:
        return 0.0
    try:
        process = psutil.Process(pid)
        family = [process, *process.children(recursive=True)]
        return sum(each.memory_info().rss for each in family) / 2**20
    except psutil.NoSuchProcess:
        return 0.0
