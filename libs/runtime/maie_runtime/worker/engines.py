"""Finds engines by entry point, so that third parties can add them."""

from __future__ import annotations

from importlib.metadata import EntryPoint, PackageNotFoundError, entry_points, version
from typing import Any

from maie_core.errors import Code, StageError
from maie_core.reasons import Reason


def engine_names(group: str) -> list[str]:
    """The names of the installed engines of a group such as `maie.asr.engines`."""
    return sorted(entry_points(group=group).names)


def find_engine(group: str, name: str) -> EntryPoint:
    """Finds an engine without importing it, which may take seconds.

    Raises:
        StageError: FAILED_PRECONDITION with ENGINE_NOT_FOUND.
    """
    found = entry_points(group=group, name=name)
    if not found:
        known = ", ".join(engine_names(group)) or "none"
        raise StageError(
            Code.FAILED_PRECONDITION,
            Reason.ENGINE_NOT_FOUND,
            f"There is no engine {name!r} in {group}; installed are: {known}.",
        )
    return next(iter(found))


def load_engine(group: str, name: str) -> Any:
    """Imports the factory of an engine.

    Each group's factory takes the service's settings and returns an async
    context manager around the engine.

    Raises:
        StageError: FAILED_PRECONDITION with ENGINE_NOT_FOUND.
    """
    return find_engine(group, name).load()


def require_package(package: str, *, by: str, remedy: str) -> str:
    """The version of a package that an engine needs and its service does not depend on.

    Args:
        package: Its name.
        by: What needs it, such as "The engine sherpa".
        remedy: How to install it, as the end of a sentence.

    Raises:
        StageError: FAILED_PRECONDITION with ENGINE_NOT_INSTALLED.
    """
    try:
        return version(package)
    except PackageNotFoundError:
        raise StageError(
            Code.FAILED_PRECONDITION,
            Reason.ENGINE_NOT_INSTALLED,
            f"{by} needs the package {package}; {remedy}.",
        ) from None
