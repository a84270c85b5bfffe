"""Files of certificates, read again when they change."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256

from maie_tls.pem import CertificateError, Pair, read_certificates, read_pair

Report = Callable[[str], None]
Stamp = tuple[tuple[int, int, int], ...]


@dataclass(kw_only=True, frozen=True, slots=True)
class Loaded:
    """What the files held when they were last complete.

    Attributes:
        number: Counts what was loaded, from 1: another number is other content.
        pair: The certificate and its key; None where no file is named.
        authorities: The CAs' certificates as PEM; None where no file is named.
        withdrawn: The CAs that were trusted earlier in this process, and are not now.
        expires: When the pair, or the last of the CAs, expires; None without either.
    """

    number: int
    pair: Pair | None
    authorities: bytes | None
    withdrawn: tuple[x509.Certificate, ...] = ()
    expires: datetime | None

    def seconds_left(self) -> float | None:
        """Seconds to `expires`; negative afterwards."""
        return (self.expires - datetime.now(UTC)).total_seconds() if self.expires else None


def stamp_of(files: Iterable[Path]) -> Stamp:
    """What is another value once one of the files was written or replaced.

    Raises:
        OSError: One is not there.
    """
    stats = [path.stat() for path in files]
    return tuple((stat.st_mtime_ns, stat.st_ino, stat.st_size) for stat in stats)


class CertificateFiles:
    """A certificate, its key and the CAs to trust, each in a file; for use from any thread.

    Several files are never replaced at once. Until a certificate and a key belong together again,
    what was loaded before remains in use.

    Args:
        certificate: The certificate, and those between it and the CA; None for none.
        key: Its key.
        authorities: The certificates of the CAs to trust; None for none.
        loaded: Called with a sentence when other files were loaded.
        kept: Called with a sentence when files changed and cannot be used, once for each change.

    Raises:
        CertificateError: A file cannot be read or used, or the certificate is not valid now.
    """

    def __init__(
        self,
        *,
        certificate: Path | None = None,
        key: Path | None = None,
        authorities: Path | None = None,
        loaded: Report = lambda _: None,
        kept: Report = lambda _: None,
    ) -> None:
        if (certificate is None) != (key is None):
            raise CertificateError("Name both a certificate and its key, or neither.")
        self._certificate, self._key, self._authorities = certificate, key, authorities
        self._paths = [path for path in (certificate, key, authorities) if path is not None]
        self._report_loaded, self._report_kept = loaded, kept
        self._lock = threading.Lock()
        self._trusted: dict[bytes, x509.Certificate] = {}
        try:
            self._seen = stamp_of(self._paths)
            self._loaded = self._load(1)
            if self._loaded.pair is not None:
                self._loaded.pair.check_dates()
        except (OSError, CertificateError) as error:
            raise CertificateError(self._sentence(error)) from error

    def current(self) -> Loaded:
        """What is in the files, or was, while they cannot be used."""
        with self._lock:
            try:
                self._look()
            except (OSError, CertificateError) as error:
                self._report_kept(f"{self._sentence(error)} What was loaded before remains in use.")
            return self._loaded

    def _look(self) -> None:
        try:
            stamp = stamp_of(self._paths)
        except OSError:
            if not self._seen:
                return
            self._seen = ()
            raise
        if stamp == self._seen:
            return
        self._seen = stamp
        loaded = self._load(self._loaded.number + 1)
        if stamp_of(self._paths) != stamp:
            self._seen = ()  # they are being written: look again next time
            return
        if loaded.pair is not None:
            loaded.pair.check_dates()
        self._loaded = loaded
        self._report_loaded(f"Loaded {self._names()} again.")

    def _load(self, number: int) -> Loaded:
        pair = authorities = None
        now: dict[bytes, x509.Certificate] = {}
        ends = []
        if self._certificate is not None and self._key is not None:
            pair = read_pair(self._certificate.read_bytes(), self._key.read_bytes())
            ends.append(pair.not_after)
        if self._authorities is not None:
            authorities = self._authorities.read_bytes()
            now = {ca.fingerprint(SHA256()): ca for ca in read_certificates(authorities)}
            ends.append(max(ca.not_valid_after_utc for ca in now.values()))
        self._trusted |= now
        return Loaded(
            number=number,
            pair=pair,
            authorities=authorities,
            withdrawn=tuple(ca for print_, ca in self._trusted.items() if print_ not in now),
            expires=min(ends, default=None),
        )

    def _names(self) -> str:
        return ", ".join(map(str, self._paths))

    def _sentence(self, error: Exception) -> str:
        if isinstance(error, OSError):
            return f"Cannot read {error.filename}: {error.strerror}."
        return f"Cannot use {self._names()}: {error}"
