"""Rebuilds the read model: `python -m maie_gateway.readmodel`, with a gateway's settings."""

from __future__ import annotations

import asyncio
import sys
import time

from maie_core.errors import StageError
from maie_core.settings import MeshSettings, load_settings
from maie_core.telemetry import configure_logging
from maie_gateway.readmodel.model import open_read_model
from maie_gateway.readmodel.rebuild import rebuild
from maie_gateway.readmodel.settings import ReadModelSettings
from maie_gateway.records.store import JobStore
from maie_gateway.vault.opening import open_job_keys
from maie_gateway.vault.settings import VaultSettings
from maie_gateway.views.results import Results
from maie_gateway.views.stored_results import StoredResults
from maie_runtime.blobs import Blobs
from maie_runtime.bus import subjects
from maie_runtime.bus.broker import open_broker
from maie_runtime.bus.credentials import credentials_of
from maie_runtime.bus.presence import instance_name
from maie_runtime.bus.rights import GATEWAY

IN_MEMORY = (
    "error: MAIE_GATEWAY_READ_MODEL_URL names no file and no server: a read model in memory is "
    "rebuilt by restarting its gateway."
)


def main() -> None:
    """Empties the read model and fills it from JetStream and the blob store."""
    settings = load_settings(ReadModelSettings)
    mesh = load_settings(MeshSettings)
    # To standard error: only the total goes to standard output.
    configure_logging(mesh, GATEWAY)
    if settings.in_memory:
        sys.exit(IN_MEMORY)
    try:
        asyncio.run(_rebuild(settings, mesh, load_settings(VaultSettings)))
    except StageError as error:
        sys.exit(f"error: {error.reason}: {error}")
    except KeyboardInterrupt:
        sys.exit("error: stopped halfway; run it again, or restart the gateways.")


async def _rebuild(settings: ReadModelSettings, mesh: MeshSettings, vault: VaultSettings) -> None:
    began = time.monotonic()
    async with (
        open_read_model(settings.url) as model,
        open_broker(
            mesh.nats_url,
            instance_name("readmodel"),
            inbox=subjects.inbox(GATEWAY),
            credentials=credentials_of(mesh),
        ) as broker,
        open_job_keys(broker, vault) as keys,
    ):
        results = Results(StoredResults(Blobs(mesh.blob_url, keys)))
        jobs, texts = await rebuild(model, JobStore(broker), results, _progress)
    print(f"{jobs} jobs and the text of {texts} in {time.monotonic() - began:.1f} s")


def _progress(what: str, done: int, total: int | None) -> None:
    of = "" if total is None else f" of {total}"
    print(f"· {what}: {done}{of}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
