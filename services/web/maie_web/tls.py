"""The certificate that clients see, read again when it changes."""

from __future__ import annotations

import asyncio
import ssl
from pathlib import Path

import structlog

from maie_runtime.rpc.tls import open_certificates
from maie_web.settings import WebSettings

log = structlog.get_logger()

# A look is two calls of stat.
CHECK_SECONDS = 1.0


class WebTls:
    """TLS of the HTTP port.

    Attributes:
        context: Makes connections; those made from now on have the newest certificate.

    Raises:
        StageError: FAILED_PRECONDITION with CERTIFICATE_INVALID.
    """

    def __init__(self, certificate: Path, key: Path) -> None:
        self._pair = certificate, key
        self._files = open_certificates(certificate, key, None)
        self._number = self._files.current().number
        self.context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        self.context.load_cert_chain(*self._pair)

    async def refreshing(self) -> None:
        """Reads files that have changed, as long as it runs."""
        while True:
            await asyncio.sleep(CHECK_SECONDS)
            self._refresh()

    def _refresh(self) -> None:
        number = self._files.current().number
        if number == self._number:
            return
        try:
            self.context.load_cert_chain(*self._pair)
        except (OSError, ssl.SSLError) as error:  # replaced once more meanwhile
            log.warning("tls.kept", detail=str(error))
        else:
            self._number = number


def open_tls(settings: WebSettings) -> WebTls | None:
    """TLS of the HTTP port; None where none is wanted.

    Raises:
        StageError: FAILED_PRECONDITION with CERTIFICATE_INVALID.
    """
    certificate, key = settings.tls_cert_file, settings.tls_key_file
    if settings.plaintext or certificate is None or key is None:
        return None
    return WebTls(certificate, key)
