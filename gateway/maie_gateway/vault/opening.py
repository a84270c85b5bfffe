"""Opens the keys of jobs as the settings say."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from maie_core.errors import Code, StageError
from maie_core.reasons import Reason
from maie_gateway.vault.data_keys import DataKeys, JobKeys, count_keys
from maie_gateway.vault.master_key import Succession, open_master_key
from maie_gateway.vault.ring import has_ring, open_ring
from maie_gateway.vault.settings import VaultSettings
from maie_runtime.bus.broker import Broker


@asynccontextmanager
async def open_job_keys(broker: Broker, settings: VaultSettings) -> AsyncIterator[JobKeys]:
    """The keys of jobs, which the broker uses from now on.

    Args:
        broker: The broker, with its streams and buckets.
        settings: What encrypts jobs, if anything.

    Raises:
        StageError: As `MasterKey`; FAILED_PRECONDITION with DATA_KEY_NOT_CONFIGURED:
            there are encrypted jobs and no master key; UNAVAILABLE with BROKER_UNAVAILABLE.
    """
    if settings.master_key:
        async with AsyncExitStack() as stack:
            master = await stack.enter_async_context(open_master_key(settings.master_key))
            if settings.earlier_master_key:
                opening = open_master_key(settings.earlier_master_key)
                master = Succession(master, await stack.enter_async_context(opening))
            ring = await open_ring(broker, master)
            keys: JobKeys = DataKeys(broker, ring, encrypts=settings.encrypt_new_jobs)
    else:
        await _check_nothing_is_encrypted(broker, settings)
        keys = JobKeys()
    broker.vault = keys
    yield keys


async def _check_nothing_is_encrypted(broker: Broker, settings: VaultSettings) -> None:
    if not await has_ring(broker):
        return
    if count := await count_keys(broker):
        raise _not_configured(
            f"Jobs of this mesh are encrypted ({count}), and MAIE_GATEWAY_MASTER_KEY is not set; "
            "set it to what it was when they were made."
        )
    if settings.encrypt_new_jobs:
        raise _not_configured(
            "This mesh encrypts its jobs, and MAIE_GATEWAY_MASTER_KEY is not set; set it, or set "
            "MAIE_GATEWAY_ENCRYPT_NEW_JOBS=false for all gateways to store jobs as they are."
        )


def _not_configured(message: str) -> StageError:
    return StageError(Code.FAILED_PRECONDITION, Reason.DATA_KEY_NOT_CONFIGURED, message)
