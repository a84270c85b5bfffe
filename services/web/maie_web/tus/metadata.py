"""Upload-Metadata: what a client says of its file, and what is to be done with it."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping, Sequence

from maie_core.errors import StageError, invalid
from maie_core.reasons import Reason

# What tus clients say of the file itself, which the recording's content says better.
ABOUT_THE_FILE = frozenset({"filename", "filetype", "name", "type", "relativePath"})


def parsed(header: str) -> dict[str, list[str]]:
    """The values of each key.

    Args:
        header: Pairs of a key and a value in Base64, with commas between; a value may be absent.

    Raises:
        StageError: INVALID_ARGUMENT with REQUEST_UNREADABLE.
    """
    found: dict[str, list[str]] = {}
    for pair in header.split(",") if header.strip() else ():
        key, _, value = pair.strip().partition(" ")
        if not key or key in found:
            raise _unreadable()
        try:
            found[key] = [base64.b64decode(value, validate=True).decode()]
        except (binascii.Error, UnicodeDecodeError) as error:
            raise _unreadable() from error
    return found


def written(fields: Mapping[str, Sequence[str]]) -> str:
    """The header that says the same as a form; of several values of a key, the last one."""
    return ",".join(
        f"{key} {base64.b64encode(values[-1].encode()).decode()}".rstrip()
        for key, values in fields.items()
    )


def filename_in(metadata: Mapping[str, Sequence[str]]) -> str:
    """The name of the file; empty where the client gave none."""
    return metadata.get("filename", metadata.get("name", [""]))[0]


def _unreadable() -> StageError:
    return invalid(
        Reason.REQUEST_UNREADABLE,
        "The header Upload-Metadata cannot be read; send keys, each once, with values of UTF-8 in "
        "Base64, and commas between.",
        field="upload-metadata",
    )
