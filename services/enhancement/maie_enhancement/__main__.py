"""Starts the enhancement service."""

from maie_core.settings import load_settings
from maie_enhancement.settings import EnhancementSettings
from maie_enhancement.stage import open_stage
from maie_runtime.worker.server import run_service


def main() -> None:
    """Serves until SIGTERM."""
    settings = load_settings(EnhancementSettings)
    run_service("enhancement", settings, lambda blobs: open_stage(settings, blobs))


if __name__ == "__main__":
    main()
