"""What `maie backup` and `maie restore` share: their stores, and their errors in a sentence."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import (
    AbstractAsyncContextManager,
    AsyncExitStack,
    asynccontextmanager,
    contextmanager,
)
from pathlib import Path

from obstore.store import ObjectStore

from maie_cli.broker import connected
from maie_cli.console import note
from maie_cli.exits import Exit, leave
from maie_cli.mesh.child import Report
from maie_cli.mesh.layout import Layout
from maie_cli.mesh.stores import Stores, stores_by_settings
from maie_core.errors import StageError
from maie_runtime.backup.errors import BackupError
from maie_runtime.bus import subjects
from maie_runtime.bus.broker import BROKER_ERRORS, Broker, broker_unavailable, open_broker
from maie_runtime.bus.errors import APIError
from maie_runtime.bus.rights import OPERATOR
from maie_runtime.object_store import open_store

CONNECT_SECONDS = 60.0

StoresOf = Callable[[Layout, Report], AbstractAsyncContextManager[Stores]]
"""Gives the stores of a folder of `maie up`."""


@asynccontextmanager
async def opened(
    data: Path | None, stores_of: StoresOf
) -> AsyncIterator[tuple[Broker, ObjectStore]]:
    """A connection to the broker as an operator, and the object store.

    Every error of theirs ends the command with a sentence.

    Args:
        data: The folder of `maie up` that has them; None for those of the settings.
        stores_of: Gives those of a folder.

    Raises:
        MeshError: The folder's broker cannot be had.
    """
    async with AsyncExitStack() as stack:
        if data is None:
            stores = stores_by_settings()
        else:
            stores = await stack.enter_async_context(stores_of(Layout(data), note))
        with _errors():
            store = open_store(stores.blob_url)
            opening = open_broker(
                stores.nats_url,
                "maie-backup",
                inbox=subjects.inbox(OPERATOR),
                credentials=stores.credentials,
                rides_out=True,
            )
            async with connected(opening, CONNECT_SECONDS) as broker:
                yield broker, store


@contextmanager
def _errors() -> Iterator[None]:
    try:
        yield
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
