"""The folder of a mesh's certificates: one for the CA, and one in it for each part."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from maie_cli.mesh.errors import MeshError
from maie_tls.authority import Authority, Issued, is_issued_by, make_authority, names_in
from maie_tls.pem import CertificateError, read_certificates, read_pair

# The names of the files of a TLS secret of Kubernetes, which cert-manager writes as well.
CERTIFICATE, KEY, CA = "tls.crt", "tls.key", "ca.crt"
CA_KEY = "ca.key"
_PRIVATE = 0o600
_PUBLIC = 0o644


@dataclass(kw_only=True, frozen=True, slots=True)
class Entry:
    """A part's certificate.

    Attributes:
        part: The part, such as "asr".
        names: What it also answers at.
        expires: When it expires.
        is_of_ca: Whether the CA of now made it.
    """

    part: str
    names: tuple[str, ...]
    expires: datetime
    is_of_ca: bool

    def expires_within(self, days: float) -> bool:
        """Whether it ends in so many days, or has ended."""
        return self.expires - datetime.now(UTC) < timedelta(days=days)


class CertificateFolder:
    """Makes and renews certificates; every file is replaced at once, and keys are the owner's only.

    Args:
        root: The folder.
        ca_key: Where the CA's key is; None: in the folder.
    """

    def __init__(self, root: Path, ca_key: Path | None = None) -> None:
        self.root = root
        self.ca_file = root / CA
        self.ca_key = ca_key or root / CA_KEY

    @property
    def has_ca(self) -> bool:
        """Whether there is a CA."""
        return self.ca_file.exists()

    def make_ca(self, lifetime: timedelta) -> None:
        """Makes a CA, which is trusted beside the earlier ones that are still valid."""
        made = make_authority(lifetime)
        former = self.ca_file.read_bytes() if self.has_ca else b""
        self._folder(self.root)
        _write(self.ca_key, made.key, _PRIVATE)
        self._trust(made.certificate + _still_valid(former))

    def make(self, part: str, names: Iterable[str], lifetime: timedelta) -> Entry:
        """Makes a part's certificate, in place of the one that it has.

        Raises:
            MeshError: The CA or its key is missing or does not fit, or a name is none.
        """
        try:
            issued = self._authority().issue(part, names, lifetime)
        except CertificateError as error:
            raise MeshError(str(error)) from error
        self._put(part, issued)
        return self.entry(part)

    def parts(self) -> list[str]:
        """The parts that have a certificate."""
        return sorted(path.parent.name for path in self.root.glob(f"*/{CERTIFICATE}"))

    def entries(self) -> Iterator[Entry]:
        """The certificates of all parts."""
        return map(self.entry, self.parts())

    def entry(self, part: str) -> Entry:
        """The certificate of a part.

        Raises:
            MeshError: It cannot be read, or its key does not belong to it.
        """
        folder = self.root / part
        try:
            pair = read_pair((folder / CERTIFICATE).read_bytes(), (folder / KEY).read_bytes())
            certificate, ca = read_certificates(pair.chain)[0], self._ca()
        except CertificateError as error:
            raise MeshError(f"{folder}: {error}") from error
        return Entry(
            part=part,
            names=tuple(names_in(certificate, part)),
            expires=pair.not_after,
            is_of_ca=is_issued_by(certificate, ca),
        )

    def ca_expires(self) -> datetime:
        """When the CA expires."""
        return self._ca().not_valid_after_utc

    def _ca(self) -> x509.Certificate:
        return read_certificates(self.ca_file.read_bytes())[0]

    def _authority(self) -> Authority:
        if not self.ca_key.exists():
            raise MeshError(
                f"The CA's key is not at {self.ca_key}; say where it is with --ca-key FILE."
            )
        return Authority(self.ca_file.read_bytes(), self.ca_key.read_bytes())

    def _put(self, part: str, issued: Issued) -> None:
        folder = self.root / part
        self._folder(folder)
        _write(folder / CA, self.ca_file.read_bytes(), _PUBLIC)
        _write(folder / KEY, issued.key, _PRIVATE)
        _write(folder / CERTIFICATE, issued.certificate, _PUBLIC)

    def _trust(self, bundle: bytes) -> None:
        for folder in (self.root, *(self.root / part for part in self.parts())):
            _write(folder / CA, bundle, _PUBLIC)

    def _folder(self, path: Path) -> None:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.chmod(0o700)


def _still_valid(bundle: bytes) -> bytes:
    now = datetime.now(UTC)
    found = read_certificates(bundle) if bundle else []
    return b"".join(
        each.public_bytes(Encoding.PEM) for each in found if each.not_valid_after_utc > now
    )


def _write(path: Path, content: bytes, mode: int) -> None:
    """Replaces a file at once; nobody else can read a key at any moment."""
    new = path.with_name(f".{path.name}.new")
    new.unlink(missing_ok=True)
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    new.replace(path)
