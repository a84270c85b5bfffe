"""Starts the ASR service."""


def main() -> None:
    """Serves until SIGTERM."""
    # Not before: each decoder process imports this module again, and needs none of these.
    from maie_asr.settings import AsrSettings
    from maie_asr.stage import open_stage
    from maie_core.settings import load_settings
    from maie_runtime.worker.server import run_service

    settings = load_settings(AsrSettings)
    run_service("asr", settings, lambda blobs: open_stage(settings, blobs))


if __name__ == "__main__":
    main()
