"""Restarts a broker that can no longer write.

After a failed write, such as on a full disk, a stream of nats-server refuses
every write until the server restarts, even when there is space again.
"""

from __future__ import annotations

import asyncio
import shutil
import signal
from collections.abc import Mapping
from typing import Any

from maie_cli.mesh.broker import credentials
from maie_cli.mesh.child import Child, Report
from maie_cli.mesh.layout import Layout
from maie_runtime.bus.broker import BROKER_ERRORS
from maie_runtime.bus.credentials import Credentials
from maie_runtime.bus.rights import MONITOR
from maie_runtime.bus.server_report import server_report

CHECK_EVERY_SECONDS = 2.0
ANSWER_SECONDS = 2.0
# The space that a starting server needs for its own state.
MIN_FREE_BYTES = 4 * 1024 * 1024
# A stream that can no longer write; and a server of a cluster, which then turns JetStream off.
SIGNS = ("write error", "JetStream not enabled")


async def care_for(broker: Child, layout: Layout, report: Report) -> None:
    """Watches the broker until it is cancelled.

    Args:
        broker: The broker's process; its supervisor restarts it.
        layout: The mesh's folder.
        report: Called with a line when the disk is full, and when the broker is restarted.
    """
    reported, monitor = False, credentials(layout, MONITOR)
    while True:
        await asyncio.sleep(CHECK_EVERY_SECONDS)
        if not await _cannot_write(broker.part.address, monitor):
            reported = False
        elif shutil.disk_usage(layout.nats).free >= MIN_FREE_BYTES:
            report("the broker could not write; starting it anew")
            broker.signal(signal.SIGTERM)
        elif not reported:
            report(f"the disk of {layout.nats} is full: no job can go on; free some space")
            reported = True


async def _cannot_write(address: str, monitor: Credentials) -> bool:
    """Whether the broker reports a failed write."""
    try:
        health = await server_report(f"nats://{address}", monitor, "HEALTHZ", ANSWER_SECONDS)
    except BROKER_ERRORS:  # it does not run or is frozen: the supervisor's task
        return False
    return cannot_write(health)


def cannot_write(health: Mapping[str, Any]) -> bool:
    """Whether a server's report of its health says that it writes nothing until it restarts."""
    return any(sign in str(health) for sign in SIGNS)
