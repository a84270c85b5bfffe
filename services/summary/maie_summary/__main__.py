"""Starts the summary service."""

from maie_core.settings import load_settings
from maie_runtime.worker.server import run_service
from maie_summary.settings import SummarySettings
from maie_summary.stage import open_stage


def main() -> None:
    """Serves until SIGTERM."""
    settings = load_settings(SummarySettings)
    run_service("summary", settings, lambda blobs: open_stage(settings, blobs))


if __name__ == "__main__":
    main()
