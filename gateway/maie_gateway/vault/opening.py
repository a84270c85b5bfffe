"""Opens the keys of jobs as the settings say."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from maie_core.errors import Code, StageError
from maie_core.reasons import Reason
from maie_gateway.vault.data_keys import DataKeys, JobKeys
from maie_gateway.vault.master_key import Succession, open_master_key
from maie_gateway.vault.ring import has_ring, open_ring
from maie_runtime.bus.broker import Broker


@asynccontextmanager
async def open_job_keys(
    broker: Broker, master_key: str, earlier: str = ""
) -> AsyncIterator[JobKeys]:
    """The keys of jobs, which the broker uses from now on.

    Args:
        broker: The broker, with its streams and buckets.
        master_key: The setting; empty where jobs are stored as they are.
        earlier: The setting before; empty where it was of the same kind.

    Raises:
        StageError: As `MasterKey`; FAILED_PRECONDITION with DATA_KEY_NOT_CONFIGURED:
            there are encrypted jobs and no master key; UNAVAILABLE with BROKER_UNAVAILABLE.
    """
    if master_key:
        async with AsyncExitStack() as stack:
            master = await stack.enter_async_context(open_master_key(master_key))
            if earlier:
                before = await stack.enter_async_context(open_master_key(earlier))
                master = Succession(master, before)
            keys: JobKeys = DataKeys(broker, await open_ring(broker, master))
    elif await has_ring(broker):
        raise StageError(
            Code.FAILED_PRECONDITION,
            Reason.DATA_KEY_NOT_CONFIGURED,
            "The jobs of this mesh are encrypted, and MAIE_GATEWAY_MASTER_KEY is not set; set it "
            "to what it was when they were made.",
        )
    else:
        keys = JobKeys()
    broker.vault = keys
    yield keys
