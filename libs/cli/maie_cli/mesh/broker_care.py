"""Restarts a broker that can no longer write.

After a failed write, such as on a full disk, a stream of nats-server refuses
every write until the server restarts, even when there is space again.
"""

from __future__ import annotations

import asyncio
import shutil
import signal
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import ProxyHandler, build_opener

from maie_cli.mesh.child import Child, Report

CHECK_EVERY_SECONDS = 2.0
ANSWER_SECONDS = 2.0
# The space that a starting server needs for its own state.
MIN_FREE_BYTES = 4 * 1024 * 1024
SIGN = b"write error"
# The environment's proxy cannot reach this machine's loopback addresses.
_OPENER = build_opener(ProxyHandler({}))


async def care_for(broker: Child, store: Path, report: Report) -> None:
    """Watches the broker until it is cancelled.

    Args:
        broker: The broker's process; its supervisor restarts it.
        store: The folder that it writes to.
        report: Called with a line when the disk is full, and when the broker is restarted.
    """
    reported = False
    while True:
        await asyncio.sleep(CHECK_EVERY_SECONDS)
        if not await asyncio.to_thread(_cannot_write, broker.part.monitor):
            reported = False
        elif shutil.disk_usage(store).free >= MIN_FREE_BYTES:
            report("the broker could not write; starting it anew")
            broker.signal(signal.SIGTERM)
        elif not reported:
            report(f"the disk of {store} is full: no job can go on; free some space")
            reported = True


def _cannot_write(monitor: str) -> bool:
    """Whether the broker reports a failed write."""
    try:
        with _OPENER.open(f"http://{monitor}/healthz", timeout=ANSWER_SECONDS):
            return False
    except HTTPError as error:
        return SIGN in error.read()
    except OSError:  # it does not run or is frozen: the supervisor's task
        return False
