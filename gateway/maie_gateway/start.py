"""Settings, logging, server."""

from __future__ import annotations

import sys

import structlog

from maie_core.errors import StageError
from maie_core.settings import load_settings
from maie_core.telemetry import configure_logging
from maie_core.unknown_variables import warn_of_unknown_variables
from maie_gateway.server import run_gateway
from maie_gateway.settings import GatewaySettings
from maie_pipeline.bindings import BINDINGS
from maie_runtime.bus.rights import GATEWAY
from maie_runtime.failpoints import warn_of_failpoints
from maie_runtime.worker.server import run_until_signal


def start() -> None:
    """Runs a gateway until SIGTERM or SIGINT; exits with status 1 where it cannot start."""
    settings = load_settings(GatewaySettings)
    configure_logging(settings.mesh, GATEWAY)
    warn_of_unknown_variables((GATEWAY, *BINDINGS))
    try:
        warn_of_failpoints()
        run_until_signal(run_gateway(settings))
    except (StageError, RuntimeError, ValueError) as error:
        structlog.get_logger().error("service.failed", error=str(error))
        sys.exit(1)
