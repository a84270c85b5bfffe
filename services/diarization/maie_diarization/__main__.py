"""Starts the diarization service."""

from maie_core.settings import load_settings
from maie_diarization.settings import DiarizationSettings
from maie_diarization.stage import open_stage
from maie_runtime.worker.server import run_service


def main() -> None:
    """Serves until SIGTERM."""
    settings = load_settings(DiarizationSettings)
    run_service("diarization", settings, lambda blobs: open_stage(settings, blobs))


if __name__ == "__main__":
    main()
