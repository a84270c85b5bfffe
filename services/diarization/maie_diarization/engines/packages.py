"""Packages that the service does not depend on."""

from __future__ import annotations

from maie_runtime.worker import engines


def require_package(engine: str, package: str) -> str:
    """The version of a package that the service does not depend on.

    Args:
        engine: The engine that needs it.
        package: Its name.

    Raises:
        StageError: FAILED_PRECONDITION with ENGINE_NOT_INSTALLED.
    """
    remedy = "install it beside maie-diarization as docs/speakers.md describes"
    return engines.require_package(package, by=f"The engine {engine}", remedy=remedy)
