"""Checks the mesh behind a gateway."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from importlib.metadata import version

from maie.catalog.v1 import catalog_pb2 as catalog
from maie_cli.doctor.finding import Finding, Health, bad
from maie_cli.doctor.keys import keys
from maie_cli.exits import sentence
from maie_cli.gateway import gateway_client
from maie_cli.mesh.options import STAGES
from maie_cli.names import stage_name
from maie_client import Client, ClientError
from maie_client.health import health_of
from maie_core.reasons import Reason
from maie_formats.clean import plain

GATEWAY_SERVICES = ("", "maie.job.v1.JobService", "maie.catalog.v1.CatalogService")
START = "start one with: maie up"
SEE_ALL = "use a key with the scope admin"
NAME_IT = "name the gateway's own address with --gateway"


async def mesh(address: str, *, expected: bool) -> AsyncIterator[Finding]:
    """Checks every part of a mesh.

    Args:
        address: HOST:PORT of its gateway.
        expected: Whether a gateway must answer there.
    """
    async with gateway_client(address) as client:
        try:
            yield await _gateway(client)
            for finding in _parts(await client.get_mesh()):
                yield finding
            async for finding in keys(client):
                yield finding
        except ClientError as error:
            if error.reason == Reason.NOT_A_GATEWAY:
                yield bad("gateway", await _what_answers(address) or error.message, NAME_IT)
            elif error.reason == Reason.SCOPE_MISSING:
                detail = "your key does not let you see its parts and keys"
                yield Finding(what="mesh", health=Health.ABSENT, detail=detail, mend=SEE_ALL)
            elif error.reason != Reason.GATEWAY_UNREACHABLE:
                yield bad("mesh", error.reason or error.code.name, sentence(error))
            elif expected:
                yield bad("gateway", f"none answers at {address}", START)
            else:
                yield Finding(
                    what="gateway",
                    health=Health.ABSENT,
                    detail=f"none is running at {address}",
                    mend=START,
                )


async def _what_answers(address: str) -> str:
    """The stage of a mesh that answers at an address; empty for none."""
    for stage in STAGES:
        service = f"maie.{stage}.v1.{stage.capitalize()}Service"
        if await health_of(address, service) is not None:
            return f"the {stage} service of a mesh answers at {address}, and not its gateway"
    return ""


async def _gateway(client: Client) -> Finding:
    resting = [name or "the gateway" for name in GATEWAY_SERVICES if not await client.health(name)]
    if resting:
        return bad(
            "gateway",
            f"{', '.join(resting)} not serving",
            "look at its log; it waits for the broker, or is shutting down",
        )
    return Finding(what="gateway", detail=f"serving at {client.address}")


def _parts(seen: catalog.GetMeshResponse) -> Iterator[Finding]:
    # The gateway knows workers and queues only through the broker.
    yield Finding(what="broker", detail=f"answers the gateway; blobs in {plain(seen.blob_store)}")
    for stage in seen.stages:
        yield _stage(stage)
    yield _queue(seen)
    yield _versions(seen)


def _stage(stage: catalog.StageStatus) -> Finding:
    name = stage_name(stage.stage)
    waiting = f"{stage.pending_units} waiting, {stage.running_units} in hand"
    runnable = sum(lane.runnable_units for lane in stage.demand)
    if kept_back := max(0, runnable - stage.pending_units - stage.running_units):
        waiting += f", {kept_back} more could run"
    if not stage.workers:
        detail = f"no worker within the last minute; {waiting}"
        return bad(f"{name} workers", detail, f"start one with: python -m maie_{name}")
    return Finding(what=f"{name} workers", detail=f"{len(stage.workers)}; {waiting}")


def _queue(seen: catalog.GetMeshResponse) -> Finding:
    detail = f"{seen.active_jobs} of at most {seen.max_active_jobs} jobs"
    if seen.active_jobs >= seen.max_active_jobs:
        return bad("queue", detail, "wait, add workers, or raise MAIE_GATEWAY_MAX_ACTIVE_JOBS")
    return Finding(what="queue", detail=detail)


def _versions(seen: catalog.GetMeshResponse) -> Finding:
    ours = version("maie-cli")
    found = {f"gateway {seen.version}": seen.version}
    found |= {f"{each.instance} {each.version}": each.version for each in seen.gateways}
    for stage in seen.stages:
        found |= {f"{each.instance} {each.version}": each.version for each in stage.workers}
    other = [plain(name) for name, each in found.items() if each != ours]
    if other:
        detail = f"this command is {ours}, but: {', '.join(other)}"
        return bad("versions", detail, "install the same version everywhere and restart")
    return Finding(what="versions", detail=f"all {ours}")
