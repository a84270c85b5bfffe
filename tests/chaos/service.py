"""A stage's service for chaos: `python -m tests.chaos.service STAGE`.

Each unit takes a moment, so that a fault finds work in hand, and a recording
that holds POISON kills every worker that transcribes it.
"""

from __future__ import annotations

import asyncio
import os
import random
import sys
from pathlib import Path
from urllib.parse import urlsplit

from pydantic_settings import SettingsConfigDict

from maie_runtime.server import run_service
from maie_runtime.settings import MeshSettings, ServiceSettings
from maie_runtime.stage import StageContext
from tests.empty_stages import empty_stages

POISON = b"poison"
SLOW = b"slow"
CHUNKS = 3
UNIT_SECONDS = (0.02, 0.2)
# Longer than the ack_wait that chaos runs with.
SLOW_SECONDS = 5.0


async def take_a_moment(context: StageContext) -> None:
    """Works for a random moment; dies of poison and takes long over what is slow."""
    recording = _recording(context.job_id)
    if context.unit.startswith("asr") and POISON in recording:
        os.abort()
    if context.unit == "asr.0000" and SLOW in recording:
        await asyncio.sleep(SLOW_SECONDS)
    await asyncio.sleep(random.uniform(*UNIT_SECONDS))


def _recording(job_id: str) -> bytes:
    root = Path(urlsplit(MeshSettings().blob_url).path)
    try:
        return (root / "jobs" / job_id / "recording").read_bytes()
    except OSError:  # the store is away: the stage itself will find out
        return b""


def main() -> None:
    """Serves until SIGTERM."""
    slug = sys.argv[1]

    class ChaosSettings(ServiceSettings):
        """The settings of the stage that this one stands for."""

        model_config = SettingsConfigDict(env_prefix=f"MAIE_{slug.upper()}_")

    stage = empty_stages(CHUNKS)[slug]
    stage.hook = take_a_moment
    run_service(slug, ChaosSettings(), stage.opened)


if __name__ == "__main__":
    main()
