"""Starts the alignment service."""

from maie_alignment.settings import AlignmentSettings
from maie_alignment.stage import open_stage
from maie_core.settings import load_settings
from maie_runtime.worker.server import run_service


def main() -> None:
    """Serves until SIGTERM."""
    settings = load_settings(AlignmentSettings)
    run_service("alignment", settings, lambda blobs: open_stage(settings, blobs))


if __name__ == "__main__":
    main()
