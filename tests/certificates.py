"""Real certificates of a CA of a test's own."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch

from maie_core.settings import MeshSettings
from maie_tls.authority import Authority, Issued, make_authority
from maie_tls.files import CertificateFiles

LOCAL = ("localhost", "127.0.0.1")
DAY = timedelta(days=1)


@dataclass(kw_only=True)
class TestCa:
    """A CA, and the files of certificates that it made.

    Attributes:
        folder: Where the files are.
        ca_file: The CA's certificate.
    """

    __test__ = False

    folder: Path
    made: Issued = field(default_factory=lambda: make_authority(10 * DAY))

    def __post_init__(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        self.ca_file.write_bytes(self.made.certificate)

    @property
    def ca_file(self) -> Path:
        return self.folder / "ca.crt"

    def issue(self, part: str, names: Iterable[str] = LOCAL, lifetime: timedelta = DAY) -> Issued:
        """Makes a certificate for a part."""
        return Authority(self.made.certificate, self.made.key).issue(part, names, lifetime)

    def paths(self, part: str) -> dict[str, Any]:
        """The files of a part, by the arguments of CertificateFiles."""
        return {
            "certificate": self.folder / f"{part}.crt",
            "key": self.folder / f"{part}.key",
            "authorities": self.ca_file,
        }

    def write(self, part: str, issued: Issued) -> None:
        """Puts a certificate and its key where those of a part are."""
        paths = self.paths(part)
        replace(paths["certificate"], issued.certificate)
        replace(paths["key"], issued.key)

    def files(self, part: str, **options: Any) -> CertificateFiles:
        """A part's files, made where there are none."""
        paths = self.paths(part)
        if not paths["key"].exists():
            self.write(part, self.issue(part))
        return CertificateFiles(**paths, **options)

    def settings(self, part: str, of: MeshSettings) -> MeshSettings:
        """The settings of a mesh with a part's certificate."""
        self.files(part)
        paths = self.paths(part)
        return of.model_copy(
            update={
                "tls_cert_file": paths["certificate"],
                "tls_key_file": paths["key"],
                "tls_ca_file": paths["authorities"],
            }
        )


def replace(path: Path, content: bytes) -> None:
    """Replaces a file at once, as `maie certs` does."""
    new = path.with_name(f".{path.name}")
    new.write_bytes(content)
    os.replace(new, path)


def issued_at(moment: datetime, ca: TestCa, part: str, lifetime: timedelta) -> Issued:
    """A certificate that is made at another time."""
    made = ca.made

    class Clock(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> Any:
            return moment.astimezone(tz)

    with patch("maie_tls.authority.datetime", Clock):
        return Authority(made.certificate, made.key).issue(part, LOCAL, lifetime)


def expired(ca: TestCa, part: str) -> Issued:
    """A certificate that expired an hour ago."""
    return issued_at(datetime.now(UTC) - timedelta(hours=2), ca, part, timedelta(hours=1))


def not_yet_valid(ca: TestCa, part: str) -> Issued:
    """A certificate that is valid from tomorrow on."""
    return issued_at(datetime.now(UTC) + DAY, ca, part, DAY)
