"""The TLS context of a connection that lasts longer than its certificates."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Sequence
from pathlib import Path

import structlog

from maie_core.errors import StageError
from maie_tls.files import stamp_of

log = structlog.get_logger()


class TlsContext:
    """A context for each new connection, made again when its files have changed.

    Args:
        make: Makes a context of the files; StageError where they cannot be used.
        files: The files.

    Raises:
        StageError: The files cannot be used.
    """

    def __init__(self, make: Callable[[], ssl.SSLContext], files: Sequence[Path]) -> None:
        self._make = make
        self._files = files
        self._context = make()
        self._seen = stamp_of(files)

    def current(self) -> ssl.SSLContext:
        """The context for a connection now; the former one while the files cannot be used."""
        try:
            stamp = stamp_of(self._files)
        except OSError:
            return self._context  # one is being replaced
        if stamp != self._seen:
            self._seen = stamp
            try:
                self._context = self._make()
            except StageError as error:
                log.warning("tls.kept", detail=error.message)
            else:
                log.info("tls.loaded", detail=", ".join(map(str, self._files)))
        return self._context
