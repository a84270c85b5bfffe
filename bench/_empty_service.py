"""A stage's service with nothing behind it: `python -m bench._empty_service STAGE`.

It is started with the repository's root in PYTHONPATH, for the empty stages of the tests.
"""

from __future__ import annotations

import os
import sys

from pydantic_settings import SettingsConfigDict

from maie_core.settings import ServiceSettings
from maie_runtime.worker.server import run_service
from tests.empty_stages import empty_stages

CHUNKS_OF_A_JOB = "BENCH_CHUNKS"
"""The environment's variable for how many chunks preprocess cuts a recording into; 1 unset."""


def main() -> None:
    """Serves until SIGTERM."""
    slug = sys.argv[1]

    class EmptySettings(ServiceSettings):
        """The settings of the stage that this one stands for."""

        model_config = SettingsConfigDict(env_prefix=f"MAIE_{slug.upper()}_", frozen=True)

    stages = empty_stages(int(os.environ.get(CHUNKS_OF_A_JOB, "1")))
    run_service(slug, EmptySettings(), stages[slug].opened)


if __name__ == "__main__":
    main()
