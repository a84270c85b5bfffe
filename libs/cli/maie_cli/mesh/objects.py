"""Where the objects of a local mesh are: in its folder, or in a store that the folder names."""

from __future__ import annotations

from maie_cli.mesh.errors import MeshError
from maie_cli.mesh.layout import Layout
from maie_core.errors import StageError
from maie_core.settings import checked_blob_url
from maie_runtime.blobs import Blobs


def blob_url(layout: Layout) -> str:
    """The object store of the jobs of a folder."""
    try:
        return layout.blob_url_file.read_text(encoding="utf-8").strip()
    except FileNotFoundError:
        return layout.blobs.as_uri()


def choose_blob_url(layout: Layout, asked: str) -> str:
    """The object store for a folder that no mesh uses now; one that was asked for is noted there.

    Args:
        layout: The folder, with its folders made.
        asked: The user's choice; empty for the one of before, or else the folder itself.

    Raises:
        MeshError: The folder has jobs whose objects are elsewhere.
    """
    there = blob_url(layout)
    if not asked or asked == there:
        return there
    if layout.has_jobs:
        raise MeshError(
            f"The objects of the jobs in {layout.root} are in {there}; leave --blob-url out, or "
            "choose another folder with --data."
        )
    layout.blob_url_file.write_text(f"{asked}\n", encoding="utf-8")
    return asked


async def check_blob_url(url: str) -> None:
    """Writes a small object to a store and deletes it.

    Raises:
        MeshError: It is no URL of a store, or the store does not let us.
    """
    try:
        await Blobs(checked_blob_url(url)).check()
    except ValueError as error:
        raise MeshError(f"--blob-url: {str(error).rstrip('.')}.") from None
    except StageError as error:
        raise MeshError(
            f"Nothing can be stored in {url}: it does not answer, has no such bucket "
            "or refuses; check --blob-url and the AWS_* variables of its server and keys."
        ) from error
