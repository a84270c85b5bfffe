"""Everything that can go wrong with live sessions, and the few that a short run tries."""

from __future__ import annotations

from tests.chaos.live.channels import CHANNEL_FAULTS
from tests.chaos.live.clients import CLIENT_FAULTS
from tests.chaos.live.decoders import DECODER_FAULTS
from tests.chaos.live.fault import LiveFault
from tests.chaos.live.finals import FINAL_FAULTS
from tests.chaos.live.processes import LIVE_PROCESS_FAULTS
from tests.chaos.live.refinements import REFINEMENT_FAULTS
from tests.chaos.live.storage import LIVE_STORAGE_FAULTS
from tests.chaos.live.summaries import SUMMARY_FAULTS

LIVE_FAULTS: tuple[LiveFault, ...] = (
    *LIVE_PROCESS_FAULTS,
    *CLIENT_FAULTS,
    *LIVE_STORAGE_FAULTS,
    *DECODER_FAULTS,
    *FINAL_FAULTS,
    *REFINEMENT_FAULTS,
    *CHANNEL_FAULTS,
    *SUMMARY_FAULTS,
)
# What takes less than a minute together.
LIVE_SHORT = frozenset({"live: kill -9 asr", "live: kill -9 gateway", "live: kill -9 clients"})
assert {fault.name for fault in LIVE_FAULTS} >= LIVE_SHORT
