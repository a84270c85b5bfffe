"""Starts the synthesis service."""

from maie_core.settings import load_settings
from maie_runtime.worker.server import run_service
from maie_synthesis.settings import SynthesisSettings
from maie_synthesis.stage import open_stage


def main() -> None:
    """Serves until SIGTERM."""
    settings = load_settings(SynthesisSettings)
    run_service("synthesis", settings, lambda blobs: open_stage(settings, blobs))


if __name__ == "__main__":
    main()
