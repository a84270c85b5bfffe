"""Starts the quality service."""

import os

from maie_core.settings import load_settings
from maie_quality.settings import QualitySettings
from maie_quality.stage import open_stage
from maie_runtime.worker.server import run_service


def main() -> None:
    """Serves until SIGTERM."""
    settings = load_settings(QualitySettings)
    os.nice(settings.nice)
    run_service("quality", settings, lambda blobs: open_stage(settings, blobs))


if __name__ == "__main__":
    main()
