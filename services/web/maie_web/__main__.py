"""Starts the web part."""

from __future__ import annotations

import sys

import structlog

from maie_core.errors import StageError
from maie_core.settings import load_settings
from maie_core.telemetry import configure_logging
from maie_core.unknown_variables import warn_of_unknown_variables
from maie_pipeline.bindings import BINDINGS
from maie_runtime.worker.server import run_until_signal
from maie_web.server import WEB, run_web
from maie_web.settings import WebSettings


def main() -> None:
    """Runs until SIGTERM or SIGINT; exits with status 1 where it cannot start."""
    settings = load_settings(WebSettings)
    configure_logging(settings.mesh, WEB)
    warn_of_unknown_variables((WEB, "gateway", *BINDINGS))
    try:
        run_until_signal(run_web(settings))
    except (StageError, RuntimeError, OSError) as error:
        structlog.get_logger().error("service.failed", error=str(error))
        sys.exit(1)


if __name__ == "__main__":
    main()
