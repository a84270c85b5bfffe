"""What `maie backup` and `maie restore` share: their stores, and their errors in a sentence."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from obstore.store import ObjectStore

from maie_cli.exits import Exit, leave
from maie_cli.mesh.stores import Stores
from maie_core.errors import StageError
from maie_runtime.backup.errors import BackupError
from maie_runtime.blobs import open_store
from maie_runtime.bus import subjects
from maie_runtime.bus.broker import BROKER_ERRORS, Broker, broker_unavailable, open_broker
from maie_runtime.bus.errors import APIError
from maie_runtime.bus.rights import OPERATOR

CONNECT_SECONDS = 60.0


@asynccontextmanager
async def opened(stores: Stores) -> AsyncIterator[tuple[Broker, ObjectStore]]:
    """A connection to the broker as an operator, and the object store.

    Every error of theirs ends the command with a sentence.
    """
    try:
        store = open_store(stores.blob_url)
        async with AsyncExitStack() as stack:
            opening = open_broker(
                stores.nats_url,
                "maie-backup",
                inbox=subjects.inbox(OPERATOR),
                credentials=stores.credentials,
            )
            try:
                async with asyncio.timeout(CONNECT_SECONDS):
                    broker = await stack.enter_async_context(opening)
            except TimeoutError:
                leave("NATS does not answer; check MAIE_NATS_URL.", Exit.UNREACHABLE)
            yield broker, store
    except (BackupError, StageError) as error:
        leave(str(error), Exit.FAILED)
    except ValueError as error:
        leave(str(error), Exit.USAGE)
    except APIError as error:
        leave(f"NATS refused: {error.description}. Run the command again.", Exit.FAILED)
    except BROKER_ERRORS as error:
        if isinstance(error, OSError) and not isinstance(error, TimeoutError):
            raise
        leave(broker_unavailable(error).message, Exit.UNREACHABLE)


def size(count: int) -> str:
    """Bytes for people, such as "12.3 MB"."""
    return f"{count / 1e6:.1f} MB"
