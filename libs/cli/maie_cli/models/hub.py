"""Fetches a model from the hub or a mirror of it."""

from __future__ import annotations

from pathlib import Path
from shutil import rmtree

from maie_cli.models.sources import HubSource
from maie_core.errors import Code, StageError
from maie_core.reasons import Reason
from maie_core.redaction import without_user

# The timeout for an unreachable hub, before the next source; its own client tries for 25 s.
PROBE_SECONDS = 5.0


def fetch_from_hub(source: HubSource, folder: Path, endpoint: str = "") -> None:
    """Downloads a repository's files, except for existing ones.

    Args:
        source: The repository and its commit.
        folder: The target folder.
        endpoint: The address of a mirror; empty: the hub itself.

    Raises:
        StageError: UNAVAILABLE with SOURCE_UNREACHABLE.
    """
    # Half a second of imports, only for this command.
    import httpx2
    from huggingface_hub import constants, snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError
    from huggingface_hub.utils.tqdm import disable_progress_bars

    address = endpoint or constants.ENDPOINT
    disable_progress_bars()
    try:
        httpx2.head(f"{address}/api/models/{source.repository}", timeout=PROBE_SECONDS)
        snapshot_download(
            source.repository,
            revision=source.revision,
            local_dir=folder,
            allow_patterns=list(source.files),
            endpoint=endpoint or None,
        )
    except (HfHubHTTPError, LocalEntryNotFoundError, httpx2.HTTPError, OSError) as error:
        raise StageError(
            Code.UNAVAILABLE,
            Reason.SOURCE_UNREACHABLE,
            f"{without_user(endpoint) or 'the hub'} gives no {source.repository} "
            f"({type(error).__name__})",
        ) from error
    # Its client stores metadata next to the files.
    rmtree(folder / ".cache", ignore_errors=True)
