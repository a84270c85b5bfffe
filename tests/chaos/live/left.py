"""What sessions leave behind once they have ended and their jobs are deleted: nothing."""

from __future__ import annotations

import asyncio

from maie.job.v1 import job_pb2 as job
from maie_cli.mesh.broker import credentials
from maie_cli.mesh.parts import NATS
from maie_client import Client, ClientError
from maie_core.reasons import Reason
from maie_runtime import folders
from maie_runtime.bus import subjects
from maie_runtime.bus.rights import MONITOR
from maie_runtime.bus.server_report import server_report
from tests.chaos.cluster.mesh import ClusterMesh
from tests.chaos.live.outcome import LiveOutcome
from tests.chaos.live.world import RESUME_SECONDS, SWEEP_SECONDS, LiveWorld
from tests.chaos.world import now

# A session whose client was killed before it knew of it ends by itself.
END_SECONDS = 2 * (RESUME_SECONDS + SWEEP_SECONDS)
SESSION = subjects.session("")
ANSWER_SECONDS = 10.0


async def check_what_is_left(world: LiveWorld, outcome: LiveOutcome) -> None:
    """Waits until every session has ended, deletes their jobs, and looks for what is left."""
    outcome.trials += 1
    deadline = now() + END_SECONDS
    while (running := await _running(world)) and now() < deadline:
        await asyncio.sleep(1)
    for session_id in running:
        outcome.blame("stuck", session_id, "nobody ended it")
    if (watched := await _watched(world)) != []:
        outcome.blame("broken", "-", f"gateways still follow the logs {watched}")
    for session_id in await world.ask(_all):
        await _delete(world, session_id)
    if kept := await asyncio.to_thread(_objects, world):
        outcome.blame("broken", "-", f"{len(kept)} objects of deleted sessions: {kept[:3]}")
    stream = await world.of_broker(lambda: world.broker.jetstream.stream_info(subjects.SESSIONS))
    if stream.state.messages:
        outcome.blame("broken", "-", f"{stream.state.messages} entries of deleted sessions")


async def _running(world: LiveWorld) -> list[str]:
    final = (job.JOB_STATE_COMPLETE, job.JOB_STATE_FAILED, job.JOB_STATE_CANCELLED)

    async def get(client: Client) -> list[str]:
        return [each.job_id async for each in client.list_jobs() if each.state not in final]

    return await world.ask(get)


async def _delete(world: LiveWorld, session_id: str) -> None:
    async def delete(client: Client) -> None:
        try:
            await client.delete_job(session_id)
        except ClientError as error:
            # It may be the second time, where the first one's answer was late.
            if error.reason != Reason.JOB_NOT_FOUND:
                raise

    await world.ask(delete)


async def _all(client: Client) -> list[str]:
    return [each.job_id async for each in client.list_jobs()]


def _objects(world: LiveWorld) -> list[str]:
    """The stored objects of jobs and sessions."""
    blobs = world.mesh.layout.blobs
    found = (
        path for folder in (folders.JOBS, folders.LIVE) for path in (blobs / folder).rglob("*")
    )
    return [str(path.relative_to(blobs)) for path in found if path.is_file()]


async def _watched(world: LiveWorld) -> list[str]:
    """The logs of sessions that somebody subscribes to, by the broker's own list."""
    if isinstance(world.mesh, ClusterMesh):
        reports = await world.mesh.reports("CONNZ", subscriptions=True)
        seen = [report.data for report in reports]
    else:
        url = f"nats://{world.mesh.children[NATS].part.address}"
        monitor = credentials(world.mesh.layout, MONITOR)
        seen = [await server_report(url, monitor, "CONNZ", ANSWER_SECONDS, subscriptions=True)]
    return sorted(
        subject
        for report in seen
        for connection in report["connections"]
        for subject in connection.get("subscriptions_list", [])
        if subject.startswith(SESSION)
    )
