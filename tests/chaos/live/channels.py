"""Faults of tracks whose two channels are recognised apart."""

from __future__ import annotations

import signal

from tests.chaos.live.processes import signalled
from tests.chaos.live.speech import SIDES
from tests.chaos.live.world import GATEWAYS, REPLICAS

CHANNEL_FAULTS = (
    signalled("channels, kill -9 asr", REPLICAS, signal.SIGKILL, sounds=(SIDES,)),
    signalled("channels, kill -9 gateway", GATEWAYS, signal.SIGKILL, sounds=(SIDES,)),
)
