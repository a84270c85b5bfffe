"""The options of a local mesh."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from maie_pipeline.bindings import BINDINGS

DEFAULT_DATA = Path(".maie")
GATEWAY_PORT = 50051
WEB_PORT = 8080
STAGES = tuple(BINDINGS)


@dataclass(kw_only=True, frozen=True, slots=True)
class MeshOptions:
    """The user's options.

    Attributes:
        data: The mesh's folder.
        profile: The name of the profile, which selects the engines.
        workers: The number of processes of a stage, by the stage's name. Unset: as many as fit
            the machine for ASR and 1 for the others.
        port_base: The gateway's port; the stages have those after it. 0 for
            any that are free.
        listen: The host name or IP address that the gateway listens on; empty for 127.0.0.1.
        nats_port: The broker's port; 0 for any that is free.
        blob_url: The object store; empty for the one of before, or else a folder in the mesh's
            own.
        web_port: The port of the web part; 0 for any that is free. None: the mesh has none.
        environment: Settings that override the environment.
        commands: Commands that replace a stage's service, by the stage's
            name; for tests and measurements.
    """

    data: Path
    profile: str = "embedded"
    workers: Mapping[str, int] = field(default_factory=dict)
    port_base: int = GATEWAY_PORT
    listen: str = ""
    nats_port: int = 0
    web_port: int | None = None
    blob_url: str = ""
    environment: Mapping[str, str] = field(default_factory=dict)
    commands: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
