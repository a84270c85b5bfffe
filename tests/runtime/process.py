"""A worker as a process of its own, to be killed: `python -m tests.runtime.process`.

`HOOK` says what its stage does: nothing, `wait` for ever, or `hang` for ever. Of the unit that
`POISON` names it dies.
"""

from __future__ import annotations

import asyncio
import os
import signal

from pydantic_settings import SettingsConfigDict

from maie_runtime.server import run_service
from maie_runtime.settings import ServiceSettings
from maie_runtime.stage import StageContext
from tests.empty_stages import empty_stages


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


def main() -> None:
    """Serves until SIGTERM."""
    stage = empty_stages()["asr"]
    stage.hook = hook
    run_service("asr", ProcessSettings(), stage.opened)


if __name__ == "__main__":
    main()
