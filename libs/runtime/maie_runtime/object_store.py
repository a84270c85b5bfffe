"""Opens object stores by their URLs: a folder, or a bucket."""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urlsplit
from urllib.request import url2pathname

from obstore.exceptions import BaseError
from obstore.store import LocalStore, ObjectStore, S3Store, from_url

from maie_core.redaction import masked_url

if TYPE_CHECKING:
    from obstore.store import ClientConfig

# obstore's default ends a request after 30 s, also one whose body still arrives: who reads a
# long recording slowly would use up all retries. What ends a request is silence.
REQUEST_SECONDS = timedelta(hours=2)
SILENCE_SECONDS = timedelta(seconds=20)
# obstore's default of 180 s would keep a client waiting for a store that does not answer.
RETRY_SECONDS = timedelta(seconds=40)
# obstore reads these from the environment, as AWS_ALLOW_HTTP, only where no options are passed.
CLIENT_OPTIONS = (
    "allow_http",
    "allow_invalid_certificates",
    "connect_timeout",
    "proxy_ca_certificate",
    "proxy_excludes",
    "proxy_url",
    "read_timeout",
    "timeout",
    "user_agent",
)


def open_store(url: str) -> ObjectStore:
    """The store of a URL, without any of what `Blobs` does around it.

    Raises:
        ValueError: The URL names no store.
    """
    if (directory := directory_of(url)) is not None:
        return LocalStore(directory, mkdir=True, automatic_cleanup=True)
    return _bucket(url)


def directory_of(url: str) -> Path | None:
    """The folder of a `file://` URL; None for a bucket."""
    parts = urlsplit(url)
    return Path(url2pathname(parts.path)) if parts.scheme == "file" else None


def _bucket(url: str) -> ObjectStore:
    try:
        if urlsplit(url).scheme != "s3":
            return from_url(url)
        return S3Store.from_url(
            url,
            # Else not every server notices what was damaged on its way.
            checksum_algorithm=os.environ.get("AWS_CHECKSUM_ALGORITHM", "SHA256"),
            client_options=_client_options(),
            retry_config={"retry_timeout": RETRY_SECONDS},
        )
    except (BaseError, ValueError):
        # Not "from" the error, which repeats the URL.
        raise ValueError(
            f"MAIE_BLOB_URL is {masked_url(url)}, which is no store that this can use; write "
            "file:///DIR or s3://BUCKET/PREFIX."
        ) from None


def _client_options() -> ClientConfig:
    options: dict[str, Any] = {"timeout": REQUEST_SECONDS, "read_timeout": SILENCE_SECONDS}
    for name in CLIENT_OPTIONS:
        if (value := os.environ.get(f"AWS_{name.upper()}")) is not None:
            options[name] = value
    return cast("ClientConfig", options)
