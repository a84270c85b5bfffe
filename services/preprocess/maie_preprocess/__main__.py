"""Starts the preprocess service."""

from __future__ import annotations

from maie_core.settings import load_settings
from maie_preprocess.settings import PreprocessSettings
from maie_preprocess.stage import open_stage
from maie_runtime.worker.server import run_service


def main() -> None:
    """Serves until SIGTERM."""
    settings = load_settings(PreprocessSettings)
    run_service("preprocess", settings, lambda blobs: open_stage(settings))


if __name__ == "__main__":
    main()
