"""`maie nats`: a broker that lets in the parts of a mesh and nobody else, and lacks nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from maie_cli.commands.nats_check import check
from maie_cli.console import out
from maie_cli.exits import Exit, leave
from maie_core.errors import StageError
from maie_core.settings import is_gpu_name
from maie_pipeline.bindings import BINDINGS
from maie_runtime.bus.rights import MONITOR, OPERATOR, parts
from maie_runtime.bus.seeds import make_seed, seed_file
from maie_runtime.bus.server_config import (
    ACCOUNTS_FILE,
    DEFAULT_LISTEN,
    SERVER_FILE,
    Cluster,
    Server,
    ServerTls,
    accounts_text,
    server_text,
)
from maie_runtime.rpc.exposure import check_exposure

SEEDS = "nkeys"

CERTIFICATES = (
    "make a certificate (maie certs create --part nats --name nats=NAME) and name it with "
    "--tls-cert and --tls-key"
)

app = typer.Typer(add_completion=False, no_args_is_help=True, help="Guard and check the broker.")
app.command()(check)


@app.callback()
def _group() -> None:
    """Guard the broker of a mesh, and find what it lacks."""


@app.command()
def config(
    folder: Annotated[Path, typer.Argument(help="The folder to write to.")],
    rotate: Annotated[
        list[str] | None,
        typer.Option(metavar="PART", help="Replace the seed of this part; may be repeated."),
    ] = None,
    gpu: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME:STAGE,STAGE",
            help="A GPU and the stages that share it, such as node-1/0:asr,summary; may be "
            "repeated.",
        ),
    ] = None,
    operator: Annotated[
        bool, typer.Option("--operator", help="Make a credential for people, for everything.")
    ] = False,
    monitor: Annotated[
        bool,
        typer.Option("--monitor", help="Make a credential that may ask the server for its health."),
    ] = False,
    listen: Annotated[
        str,
        typer.Option(
            metavar="HOST:PORT",
            help="Where the server answers clients; others than 127.0.0.1 need --tls-cert.",
        ),
    ] = DEFAULT_LISTEN,
    store: Annotated[Path, typer.Option(help="The folder where the server stores messages.")] = (
        Path("/var/lib/nats")
    ),
    name: Annotated[str, typer.Option(help="The server's name, unique in a cluster.")] = "maie",
    tls_cert: Annotated[
        Path | None, typer.Option(help="The server's certificate, in PEM. Set: clients need TLS.")
    ] = None,
    tls_key: Annotated[Path | None, typer.Option(help="The key of the certificate.")] = None,
    tls_ca: Annotated[
        Path | None, typer.Option(help="The CA of the clients' certificates. Set: they need one.")
    ] = None,
    cluster: Annotated[
        str, typer.Option(help="The name of the server's cluster, whose servers use the same CA.")
    ] = "",
    cluster_listen: Annotated[
        str, typer.Option(metavar="HOST:PORT", help="Where it answers the cluster's servers.")
    ] = "0.0.0.0:6222",
    route: Annotated[
        list[str] | None,
        typer.Option(metavar="URL", help="Another server of the cluster; may be repeated."),
    ] = None,
) -> None:
    """Write a configuration of nats-server, and the credentials of each part of the mesh.

    Seeds that are there stay, so run it again after an upgrade: a new release may need other
    rights. Then reload the server (nats-server --signal reload).
    """
    wanted = [*parts(), *([OPERATOR] if operator else ()), *([MONITOR] if monitor else ())]
    kept = [part for part in (OPERATOR, MONITOR) if seed_file(folder / SEEDS, part).exists()]
    names = list(dict.fromkeys([*wanted, *kept]))
    for part in rotate or ():
        if part not in names:
            leave(f"There is no part {part!r}; choose from {', '.join(names)}.", Exit.USAGE)
    tls = _tls(tls_cert, tls_key, tls_ca)
    servers = _cluster(cluster, cluster_listen, route or [], tls)
    try:
        check_exposure(listen, has_tls=tls is not None, remedy=CERTIFICATES)
        keys = {
            part: make_seed(folder / SEEDS, part, anew=part in (rotate or ())) for part in names
        }
        server = Server(
            name=name,
            listen=listen,
            store=store.absolute(),
            tls=tls,
            cluster=servers,
        )
        (folder / ACCOUNTS_FILE).write_text(accounts_text(keys, _shared(gpu or ())))
        (folder / SERVER_FILE).write_text(server_text(server))
    except StageError as error:
        leave(error.message, Exit.FAILED)
    except OSError as error:
        leave(f"Cannot write to {folder} ({error.strerror}).", Exit.FAILED)
    _explain(folder, names)


def _explain(folder: Path, names: list[str]) -> None:
    out.print(f"start the broker with: nats-server --config {folder / SERVER_FILE}", soft_wrap=True)
    for part in names:
        seed = seed_file(folder / SEEDS, part)
        out.print(f"{part}: MAIE_NATS_NKEY_FILE={seed}", soft_wrap=True)


def _tls(certificate: Path | None, key: Path | None, ca: Path | None) -> ServerTls | None:
    if certificate is None and key is None and ca is None:
        return None
    if certificate is None or key is None:
        leave("TLS needs both --tls-cert and --tls-key.", Exit.USAGE)
    return ServerTls(
        certificate=certificate.absolute(), key=key.absolute(), ca=ca.absolute() if ca else None
    )


def _cluster(name: str, listen: str, routes: list[str], tls: ServerTls | None) -> Cluster | None:
    if not name:
        if routes:
            leave("Name the cluster of these routes with --cluster.", Exit.USAGE)
        return None
    if any("@" in route for route in routes):
        leave("A route takes no user and password: the servers know each other by TLS.", Exit.USAGE)
    if tls is None or tls.ca is None:
        leave(
            "A cluster needs --tls-cert, --tls-key and --tls-ca: without them, a program "
            "that reaches its port can join it and read everything.",
            Exit.USAGE,
        )
    return Cluster(name=name, listen=listen, routes=tuple(routes))


def _shared(gpus: list[str] | tuple[str, ...]) -> dict[str, list[str]]:
    """The stages that share each GPU."""
    shared = {}
    for each in gpus:
        gpu, _, stages = each.rpartition(":")
        named = stages.split(",")
        if not is_gpu_name(gpu) or not set(named) <= BINDINGS.keys():
            leave(f"Write --gpu NAME:STAGE,STAGE with stages of {', '.join(BINDINGS)}.", Exit.USAGE)
        shared[gpu] = named
    return shared
