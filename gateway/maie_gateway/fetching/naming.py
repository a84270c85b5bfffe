"""The name of a fetched file."""

from __future__ import annotations

import warnings
from collections.abc import Mapping

from aiohttp import (
    BadContentDispositionHeader,
    BadContentDispositionParam,
    content_disposition_filename,
    hdrs,
    parse_content_disposition,
)
from yarl import URL

from maie_core.limits import MAX_FILENAME_CHARACTERS
from maie_core.names import harmless


def filename_of(url: URL, headers: Mapping[str, str]) -> str:
    """The name that a server gives a file, or else the last part of the URL's path; may be empty.

    Args:
        url: The URL that the caller gave.
        headers: Those of the answer with the file.
    """
    # A server may name a path; the file's name is its end.
    last = (_named(headers) or url.name).replace("\\", "/").rpartition("/")[2]
    text = last.encode(errors="ignore").decode()
    return harmless(text)[-MAX_FILENAME_CHARACTERS:]


def _named(headers: Mapping[str, str]) -> str | None:
    with warnings.catch_warnings():
        # They would write the header to the log.
        warnings.simplefilter("ignore", BadContentDispositionHeader)
        warnings.simplefilter("ignore", BadContentDispositionParam)
        _, options = parse_content_disposition(headers.get(hdrs.CONTENT_DISPOSITION))
    return content_disposition_filename(options)
