"""A worker as a process of its own, to be killed: `python -m tests.runtime.process`.

`HOOK` says what its stage does: nothing, `wait` for ever, or `hang` for ever. Of the unit that
`POISON` names it dies. Its engine dies when the file that `ENGINE_DIES` names is there.
"""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from pydantic_settings import SettingsConfigDict

from maie_core.errors import Code, StageError
from maie_core.reasons import Reason
from maie_core.settings import ServiceSettings
from maie_runtime.blobs import Blobs
from maie_runtime.worker.server import run_service
from maie_runtime.worker.stage import StageContext
from maie_runtime.worker.watchdog import watchdog
from tests.empty_stages import EmptyStage, empty_stages


class ProcessSettings(ServiceSettings):
    """The settings of an ASR service."""

    model_config = SettingsConfigDict(env_prefix="MAIE_ASR_")


async def hook(context: StageContext) -> None:
    """Does what the environment asks for."""
    if context.unit == os.environ.get("POISON"):
        os.kill(os.getpid(), signal.SIGKILL)
    kind = os.environ.get("HOOK", "")
    while kind:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            if kind == "wait":
                raise


async def engine_death() -> None:
    """Waits until the engine is to die."""
    sign = Path(os.environ.get("ENGINE_DIES", "/nowhere"))
    while not await asyncio.to_thread(sign.exists):
        await asyncio.sleep(0.05)
    raise StageError(Code.UNAVAILABLE, Reason.MODEL_UNAVAILABLE, "The model died.")


@asynccontextmanager
async def opened(_: Blobs) -> AsyncIterator[EmptyStage]:
    """The stage, for as long as its engine lives."""
    stage = empty_stages()["asr"]
    stage.hook = hook
    async with watchdog(engine_death):
        yield stage


def main() -> None:
    """Serves until SIGTERM."""
    run_service("asr", ProcessSettings(), opened)


if __name__ == "__main__":
    main()
