"""A file that says whether this process serves, for probes that make no gRPC call."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import structlog
from opentelemetry.metrics import CallbackOptions, Meter, Observation

from maie_core.metrics import NO_METER
from maie_runtime.background import background_tasks
from maie_runtime.probe import NOT_SERVING, SERVING

log = structlog.get_logger()

# A probe takes a file of twice its age limit as that of a process whose event loop hangs.
RENEW_SECONDS = 2.0


class HealthFile:
    """Writes the file again and again: one that gets old is that of a process that hangs.

    Args:
        path: The file; None for none. Its folder must exist.
        meter: Makes the metric of readiness.
    """

    def __init__(self, path: Path | None, meter: Meter = NO_METER) -> None:
        self._path = path
        self._serving = False
        self._is_written = True

        def ready(_: CallbackOptions) -> Iterator[Observation]:
            yield Observation(int(self._serving))

        meter.create_observable_gauge(
            "maie.ready", [ready], description="1 while health reports SERVING, else 0."
        )

    def set_serving(self, serving: bool) -> None:
        """Says whether the process takes work."""
        self._serving = serving
        self._try()

    @asynccontextmanager
    async def kept(self) -> AsyncIterator[None]:
        """Keeps the file new; removes it at the end.

        Raises:
            RuntimeError: It cannot be written.
        """
        if self._path is None:
            yield
            return
        try:
            self._write()
        except OSError as error:
            raise RuntimeError(
                f"Cannot write {self._path} ({error.strerror}); check MAIE_HEALTH_FILE."
            ) from error
        try:
            async with background_tasks(self._renew()):
                yield
        finally:
            with suppress(OSError):
                self._path.unlink()

    async def _renew(self) -> None:
        while True:
            await asyncio.sleep(RENEW_SECONDS)
            self._try()

    def _try(self) -> None:
        """Writes the file; a full disk stops no process, whose probe sees an old file meanwhile."""
        try:
            self._write()
        except OSError as error:
            if self._is_written:
                log.warning("health_file.failed", path=str(self._path), error=str(error))
            self._is_written = False
        else:
            self._is_written = True

    def _write(self) -> None:
        if self._path is None:
            return
        new = self._path.with_name(f".{self._path.name}.{os.getpid()}")
        new.write_text(SERVING if self._serving else NOT_SERVING)
        new.replace(self._path)
