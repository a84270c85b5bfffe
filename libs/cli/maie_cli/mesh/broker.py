"""The broker of a local mesh: who may connect to it, and with what."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from maie_cli.mesh.errors import MeshError
from maie_cli.mesh.layout import Layout
from maie_cli.mesh.options import STAGES
from maie_core.errors import StageError
from maie_runtime.bus.accounts import HOME
from maie_runtime.bus.credentials import Credentials
from maie_runtime.bus.rights import GATEWAY, MONITOR, OPERATOR
from maie_runtime.bus.seeds import make_seed, seed_file
from maie_runtime.bus.server_config import (
    ACCOUNTS_FILE,
    SERVER_FILE,
    Server,
    accounts_text,
    server_text,
)

SEED = "MAIE_NATS_NKEY_FILE"
# Those of another broker and another database, which the user's settings may name.
OTHERS = (
    "MAIE_NATS_URL_FILE",
    "MAIE_NATS_CA_FILE",
    "MAIE_NATS_CERT_FILE",
    "MAIE_NATS_KEY_FILE",
    "MAIE_GATEWAY_READ_MODEL_URL_FILE",
)
# The account of clients without credentials, where the releases before kept everything.
OPEN_ACCOUNT = "$G"


def credentials(layout: Layout, part: str) -> Credentials:
    """The credentials of a part: a stage, `gateway`, `monitor` or `operator`."""
    return Credentials(nkey=seed_file(layout.nkeys, part))


def write_broker_config(layout: Layout, listen: str, settings: Mapping[str, str]) -> Path:
    """Writes the broker's configuration, and makes the seeds that are missing.

    Args:
        layout: The mesh's folder.
        listen: HOST:PORT for the parts.
        settings: The settings of the mesh, which name the shared GPUs.

    Returns:
        The file for nats-server.

    Raises:
        MeshError: A seed cannot be used.
    """
    try:
        keys = {
            part: make_seed(layout.nkeys, part) for part in (*STAGES, GATEWAY, MONITOR, OPERATOR)
        }
    except StageError as error:
        raise MeshError(f"{error.message} Remove the file to have it made anew.") from error
    _write(layout.run / ACCOUNTS_FILE, accounts_text(keys, _shared_gpus(settings)))
    config = layout.run / SERVER_FILE
    _write(config, server_text(Server(store=layout.nats, listen=listen)))
    _take_over(layout.nats / "jetstream")
    return config


def _take_over(store: Path) -> None:
    """Gives the account of the gateways what an earlier release stored for all."""
    before, now = store / OPEN_ACCOUNT, store / HOME
    if before.is_dir() and not now.exists():
        before.rename(now)


def _shared_gpus(settings: Mapping[str, str]) -> dict[str, list[str]]:
    """The stages that share each GPU, by the settings of their services."""
    shared: dict[str, list[str]] = {}
    for stage in STAGES:
        prefix = f"MAIE_{stage.upper()}"
        gpu = settings.get(f"{prefix}_GPU", "")
        if gpu and settings.get(f"{prefix}_RESIDENCY") == "shared-gpu":
            shared.setdefault(gpu, []).append(stage)
    return shared


def _write(path: Path, text: str) -> None:
    """Writes a file that only its owner may read."""
    fresh = path.with_name(f"{path.name}.new")
    fresh.unlink(missing_ok=True)
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
    fresh.replace(path)
