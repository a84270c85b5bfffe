"""Signals that a command handles for a while, and what they do afterwards."""

from __future__ import annotations

import asyncio
import os
import signal

import pytest

from maie_cli.live.stopping import stoppable
from maie_cli.signals import handled

pytestmark = pytest.mark.unit


def test_a_signal_is_handled_for_the_time_of_the_context() -> None:
    calls: list[str] = []

    async def main() -> None:
        came = asyncio.Event()

        def on_signal() -> None:
            calls.append("called")
            came.set()

        with handled([signal.SIGTERM], on_signal):
            os.kill(os.getpid(), signal.SIGTERM)
            await came.wait()

    before = signal.getsignal(signal.SIGTERM)
    asyncio.run(main())
    assert calls == ["called"]
    assert signal.getsignal(signal.SIGTERM) is before


def test_afterwards_ctrl_c_cancels_the_command_wherever_it_is() -> None:
    ends: list[str] = []

    async def main() -> None:
        loop = asyncio.get_running_loop()
        with stoppable(lambda: None):
            pass
        # Within a callback, as most of a command's time is; it is not the command's own.
        loop.call_soon(_interrupted, ends)
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            ends.append("cancelled")
            raise

    with pytest.raises(KeyboardInterrupt):
        asyncio.run(main())
    assert ends == ["the callback ended", "cancelled"]


def _interrupted(ends: list[str]) -> None:
    try:
        os.kill(os.getpid(), signal.SIGINT)
    except KeyboardInterrupt:
        return  # as where nothing can be raised
    ends.append("the callback ended")
