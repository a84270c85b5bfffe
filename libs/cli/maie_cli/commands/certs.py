"""`maie certs`: a private CA for a mesh, and certificates for its parts."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path
from typing import Annotated

import typer

from maie_cli.certs.folder import CertificateFolder, Entry
from maie_cli.console import emit, out
from maie_cli.exits import Exit, leave
from maie_cli.listing import Field, Listing, print_listing
from maie_cli.mesh.errors import MeshError
from maie_pipeline.bindings import BINDINGS
from maie_tls.names import GATEWAY, NATS, OPERATOR, PROVISION, WEB
from maie_tls.pem import CertificateError

PARTS = (GATEWAY, WEB, *BINDINGS, PROVISION, OPERATOR, NATS)
# What clients on the same machine call them by.
LOCAL = ("localhost", "127.0.0.1", "::1")
_LOCAL_NAMES = {GATEWAY: LOCAL, WEB: LOCAL, NATS: LOCAL}
_PART = re.compile(r"[a-z][a-z0-9-]{0,30}")
DEFAULT_FOLDER = Path("certs")
DAYS, CA_DAYS, RENEW_DAYS = 90, 3650, 30

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    help="Make, list and renew the certificates of a mesh, by a private CA of its own.",
)

FolderOption = Annotated[
    Path, typer.Option("--folder", metavar="DIR", help="Where the certificates are.")
]
CaKeyOption = Annotated[
    Path | None,
    typer.Option(
        "--ca-key", metavar="FILE", help="Where the CA's private key is; in the folder if unset."
    ),
]
DaysOption = Annotated[
    int, typer.Option("--days", min=1, help="For how long the certificates are valid.")
]
NamesOption = Annotated[
    list[str] | None,
    typer.Option(
        "--name",
        metavar="PART=NAME",
        help="A DNS name or an IP address that a part is called by, such as "
        "gateway=maie.example.com; as often as needed.",
    ),
]


@app.command()
def create(
    folder: FolderOption = DEFAULT_FOLDER,
    name: NamesOption = None,
    part: Annotated[
        list[str] | None,
        typer.Option(
            "--part", help=f"A part that gets one, as often as needed; {', '.join(PARTS)} if unset."
        ),
    ] = None,
    days: DaysOption = DAYS,
    ca_days: Annotated[int, typer.Option(min=1, help="For how long the CA is valid.")] = CA_DAYS,
    ca_key: CaKeyOption = None,
) -> None:
    """Make a CA where there is none, and a certificate for each part that has none.

    DIR/PART holds tls.crt, tls.key and ca.crt: all that a part needs. What is there stays.
    """
    names = _names(name or ())
    wanted = part or list(PARTS)
    if strange := [each for each in wanted if not _PART.fullmatch(each)]:
        raise typer.BadParameter(f"{strange[0]!r} is no name of a part", param_hint="--part")
    if unknown := sorted(set(names) - set(wanted)):
        raise typer.BadParameter(f"there is no part {unknown[0]!r} to make", param_hint="--name")
    with _one_sentence():
        certificates = CertificateFolder(folder, ca_key)
        if not certificates.has_ca:
            certificates.make_ca(timedelta(days=ca_days))
            out.print(
                f"made the CA {certificates.ca_file}; its key is {certificates.ca_key}",
                soft_wrap=True,
            )
        have = set(certificates.parts())
        for each in wanted:
            if each in have:
                _print(f"{each} has one already; maie certs renew makes another")
                continue
            addresses = (*_LOCAL_NAMES.get(each, ()), *names.get(each, ()))
            _say(certificates.make(each, addresses, timedelta(days=days)))


@app.command("list")
def list_(
    folder: FolderOption = DEFAULT_FOLDER,
    as_json: Annotated[bool, typer.Option("--json", help="Print a line of JSON for each.")] = False,
) -> None:
    """List the certificates, with their names and when they expire."""
    with _one_sentence():
        entries = list(_of(folder).entries())
    if as_json:
        for entry in entries:
            emit(json.dumps({**asdict(entry), "expires": entry.expires.isoformat()}))
        return
    fields = [Field(header="part"), Field(header="expires"), Field(header="names", least=20)]
    rows = [
        (entry.part, f"{entry.expires:%Y-%m-%d %H:%M}", ", ".join(entry.names)) for entry in entries
    ]
    print_listing(out, Listing(fields, rows))


@app.command()
def renew(
    folder: FolderOption = DEFAULT_FOLDER,
    within: Annotated[
        int, typer.Option(min=0, help="Renew those that expire in so many days.")
    ] = RENEW_DAYS,
    everything: Annotated[bool, typer.Option("--all", help="Renew all of them.")] = False,
    ca: Annotated[
        bool,
        typer.Option(
            "--ca", help="Make another CA instead, which is trusted beside the one of now."
        ),
    ] = False,
    days: DaysOption = DAYS,
    ca_days: Annotated[int, typer.Option(min=1, help="For how long the CA is valid.")] = CA_DAYS,
    ca_key: CaKeyOption = None,
) -> None:
    """Make new certificates, with new keys, for those that expire soon or are of an earlier CA.

    The former ones stay valid until they expire, and parts take up new files by themselves.
    """
    with _one_sentence():
        certificates = _of(folder, ca_key)
        if ca:
            certificates.make_ca(timedelta(days=ca_days))
            _print(
                f"made another CA; {certificates.ca_file} and all ca.crt hold it and the former. "
                "Bring them to every part, and then run: maie certs renew"
            )
            return
        due = [
            entry
            for entry in certificates.entries()
            if everything or not entry.is_of_ca or entry.expires_within(within)
        ]
        for entry in due:
            _say(certificates.make(entry.part, entry.names, timedelta(days=days)))
        if not due:
            _print(f"none expires within {within} days")


def _of(folder: Path, ca_key: Path | None = None) -> CertificateFolder:
    certificates = CertificateFolder(folder, ca_key)
    if not certificates.has_ca:
        raise MeshError(f"There are no certificates in {folder}; make them with: maie certs create")
    return certificates


def _say(entry: Entry) -> None:
    names = f" for {', '.join(entry.names)}" if entry.names else ""
    _print(f"made {entry.part}{names}, valid to {entry.expires:%Y-%m-%d}")


def _print(line: str) -> None:
    out.print(line, soft_wrap=True, highlight=False)


def _names(pairs: Sequence[str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for pair in pairs:
        part, equals, name = pair.partition("=")
        if not equals or not part or not name:
            raise typer.BadParameter(f"write PART=NAME, not {pair!r}", param_hint="--name")
        found.setdefault(part, []).append(name)
    return found


@contextmanager
def _one_sentence() -> Iterator[None]:
    try:
        yield
    except (MeshError, CertificateError) as error:
        leave(str(error), Exit.FAILED)
