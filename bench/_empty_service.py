"""A stage's service with nothing behind it: `python -m bench._empty_service STAGE`.

It is started with the repository's root in PYTHONPATH, for the empty stages of the tests.
"""

from __future__ import annotations

import sys

from pydantic_settings import SettingsConfigDict

from maie_runtime.server import run_service
from maie_runtime.settings import ServiceSettings
from tests.empty_stages import empty_stages


def main() -> None:
    """Serves until SIGTERM."""
    slug = sys.argv[1]

    class EmptySettings(ServiceSettings):
        """The settings of the stage that this one stands for."""

        model_config = SettingsConfigDict(env_prefix=f"MAIE_{slug.upper()}_", frozen=True)

    run_service(slug, EmptySettings(), empty_stages()[slug].opened)


if __name__ == "__main__":
    main()
