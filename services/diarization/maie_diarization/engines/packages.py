"""Packages that the service does not depend on."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version

from maie_core.errors import Code, StageError
from maie_core.reasons import Reason


def require_package(engine: str, package: str) -> str:
    """The version of a package that the service does not depend on.

    Args:
        engine: The engine that needs it.
        package: Its name.

    Raises:
        StageError: FAILED_PRECONDITION with ENGINE_NOT_INSTALLED.
    """
    try:
        return version(package)
    except PackageNotFoundError:
        raise StageError(
            Code.FAILED_PRECONDITION,
            Reason.ENGINE_NOT_INSTALLED,
            f"The engine {engine} needs the package {package}; install it beside "
            "maie-diarization as docs/speakers.md describes.",
        ) from None
