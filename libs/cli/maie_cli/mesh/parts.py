"""The processes of a local mesh."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import psutil

from maie_cli.mesh.broker import OTHERS, SEED, write_broker_config
from maie_cli.mesh.door import BETWEEN_PARTS, PLAINTEXT, door_address, with_door, with_health_file
from maie_cli.mesh.errors import MeshError
from maie_cli.mesh.fitting import Fit, fit_asr
from maie_cli.mesh.key import with_key
from maie_cli.mesh.layout import Layout
from maie_cli.mesh.metrics import with_metrics
from maie_cli.mesh.objects import choose_blob_url
from maie_cli.mesh.options import STAGES, MeshOptions
from maie_cli.mesh.ports import Ports
from maie_cli.mesh.profiles import profile_environment
from maie_cli.mesh.voice import has_voice
from maie_pipeline.bindings import BINDINGS
from maie_runtime.bus.seeds import seed_file
from maie_runtime.rpc.callers.proxies import LOCAL_USER
from maie_runtime.worker.cores import usable_cores

MAX_WORKERS = 64
NATS = "nats"
GATEWAY = "gateway"
WEB = "web"
SYNTHESIS = "synthesis"
TRUSTED_PROXIES = "MAIE_GATEWAY_TRUSTED_PROXIES"
MASTER_KEYS = ("MAIE_GATEWAY_MASTER_KEY", "MAIE_GATEWAY_MASTER_KEY_FILE")
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
        stage: The gateway, the web part or the stage that it is one of; empty for the broker.
        health_file: Where it says whether it serves; None where it answers that itself.
    """

    name: str
    command: tuple[str, ...]
    address: str
    environment: Mapping[str, str]
    stage: str = ""
    health_file: Path | None = None

    @property
    def is_broker(self) -> bool:
        """Whether it is a server of NATS."""
        return self.name == NATS or self.name.startswith(f"{NATS}-")


def plan(options: MeshOptions, layout: Layout) -> list[Part]:
    """The parts of a mesh in start order: broker, stages, web, gateway.

    Raises:
        MeshError: An option is invalid.
    """
    ports = Ports()
    settings = _settings(options)
    broker = _broker(layout, ports.take(options.nats_port), settings)
    fit = fit_of(options)
    shared = {
        **{name: value for name, value in settings.items() if name not in OTHERS},
        **fit.environment,
        "MAIE_NATS_URL": f"nats://{broker.address}",
        "MAIE_BLOB_URL": choose_blob_url(layout, options.blob_url),
        **_read_model(options, layout),
        **_proxies(settings),
        "PYTHONUNBUFFERED": "1",
    }
    base = options.port_base
    gateway = _python_part(GATEWAY, GATEWAY, ports.take(base), shared)
    if options.listen:
        gateway = with_door(gateway, options.listen)
    gateway = with_key(gateway, layout)
    # The web part is no client of the broker.
    parts = [*_stages(options, ports, shared, fit.workers), gateway]
    parts = [_with_seed(part, layout) for part in parts]
    parts[-1:-1] = _web(options, ports, shared, gateway)
    parts = [with_health_file(part, layout) for part in parts]
    return [broker, *with_metrics(parts, ports, layout)]


def broker_alone(layout: Layout) -> Part:
    """The broker of a mesh whose other parts do not run.

    Raises:
        MeshError: There is no nats-server.
    """
    return _broker(layout, Ports().take(0), os.environ)


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


def _read_model(options: MeshOptions, layout: Layout) -> dict[str, str]:
    """Where the read model is: in a file, or in memory where nothing may be stored unencrypted."""
    settings = _settings(options)
    if any(settings.get(name) for name in MASTER_KEYS):
        return {"MAIE_GATEWAY_READ_MODEL_URL": "sqlite://"}
    return {"MAIE_GATEWAY_READ_MODEL_URL": f"sqlite:///{layout.read_model}"}


def _proxies(settings: Mapping[str, str]) -> dict[str, str]:
    """Has the gateway believe the web part where requests come from.

    Not where it is behind a proxy, which may be this user's and pass on what clients make up.
    """
    if settings.get(PLAINTEXT) or TRUSTED_PROXIES in settings:
        return {}
    return {TRUSTED_PROXIES: f'["{LOCAL_USER}"]'}


def _stages(
    options: MeshOptions, ports: Ports, shared: Mapping[str, str], asr_workers: int
) -> Iterator[Part]:
    counts = _worker_counts(options.workers) | {"asr": asr_workers}
    if leaves_synthesis_out(options):
        counts[SYNTHESIS] = 0
    for stage in STAGES:
        # The number of a stage never changes, so that each keeps its port.
        first = options.port_base + BINDINGS[stage].stage if options.port_base else 0
        for number in range(1, counts[stage] + 1):
            name = stage if number == 1 else f"{stage}-{number}"
            part = _python_part(name, stage, ports.take(first if number == 1 else 0), shared)
            yield replace(part, command=options.commands.get(stage, part.command))


def leaves_synthesis_out(options: MeshOptions) -> bool:
    """Whether the mesh has no synthesis service: it could not start, and nobody asks for it."""
    asked = SYNTHESIS in options.workers or SYNTHESIS in options.commands
    return not asked and not has_voice(_settings(options))


def _web(
    options: MeshOptions, ports: Ports, shared: Mapping[str, str], gateway: Part
) -> Iterator[Part]:
    """The web part on this machine alone, where there is to be one."""
    if options.web_port is None:
        return
    own = {"MAIE_WEB_GATEWAY": door_address(gateway), **shared}
    yield _python_part(WEB, WEB, ports.take(options.web_port, "--web-port"), own)


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
    if package in STAGES:
        own[f"{prefix}INSTANCE"] = f"{package}-1" if name == package else name
    return Part(
        name=name,
        command=(sys.executable, "-P", "-m", f"maie_{package}"),
        address=address,
        environment={**shared, **own},
        stage=package,
    )


def _with_seed(part: Part, layout: Layout) -> Part:
    """The part, with its own credential for the broker and no other."""
    seed = seed_file(layout.nkeys, part.stage)
    return replace(part, environment={**part.environment, SEED: str(seed)})


def _broker(layout: Layout, address: str, settings: Mapping[str, str]) -> Part:
    config = write_broker_config(layout, address, settings)
    command = (str(nats_server()), "--config", str(config))
    return Part(name=NATS, command=command, address=address, environment=dict(os.environ))


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
