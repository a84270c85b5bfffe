"""Starts a broker anew that cannot write any more.

A stream of nats-server whose write failed, as on a full disk, refuses every
write from then on, also when there is space again, until the server restarts.
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
# A server that starts needs a little to write its own state.
MIN_FREE_BYTES = 4 * 1024 * 1024
SIGN = b"write error"
# No proxy of the environment can reach this machine's own addresses.
_OPENER = build_opener(ProxyHandler({}))


async def care_for(broker: Child, store: Path, report: Report) -> None:
    """Looks after the broker for ever.

    Args:
        broker: The broker's process; its supervisor starts it again.
        store: The folder that it writes to.
        report: Hears one line when the disk is full, and when it is started anew.
    """
    told = False
    while True:
        await asyncio.sleep(CHECK_EVERY_SECONDS)
        if not await asyncio.to_thread(_cannot_write, broker.part.monitor):
            told = False
        elif shutil.disk_usage(store).free >= MIN_FREE_BYTES:
            report("the broker could not write; starting it anew")
            broker.signal(signal.SIGTERM)
        elif not told:
            report(f"the disk of {store} is full: no job can go on; free some space")
            told = True


def _cannot_write(monitor: str) -> bool:
    """Whether the broker itself says that a write failed."""
    try:
        with _OPENER.open(f"http://{monitor}/healthz", timeout=ANSWER_SECONDS):
            return False
    except HTTPError as error:
        return SIGN in error.read()
    except OSError:  # it does not run or is frozen, which is not for us to judge
        return False
