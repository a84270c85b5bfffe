"""Names of downloads in Content-Disposition (RFC 6266, RFC 8187)."""

from __future__ import annotations

import re
import unicodedata
from pathlib import PurePath
from urllib.parse import quote

from maie.job.v1 import job_pb2 as job
from maie_formats.clean import plain

# attr-char of RFC 8187, besides letters and digits.
_UNQUOTED = "!#$&+-.^_`|~"
# What is no name of a file, and what old clients take for quotes or escapes.
_SEPARATORS = re.compile(r"[/\\]")
_UNSAFE = re.compile(r'[^ -~]|["%*:<>?|]')
EXTENSION_CHARACTERS = 5


def disposition(kind: str, name: str) -> str:
    """The value of Content-Disposition.

    Clients that know RFC 8187 take `filename*`, which is the name; others `filename`, in ASCII.

    Args:
        kind: "attachment" or "inline".
        name: The file's name, in any alphabet.
    """
    shown = _SEPARATORS.sub("_", plain(name)).strip(". ") or "recording"
    letters = unicodedata.normalize("NFKD", shown)
    base = "".join(letter for letter in letters if not unicodedata.combining(letter))
    return (
        f'{kind}; filename="{_UNSAFE.sub("_", base)}"; '
        f"filename*=UTF-8''{quote(shown, safe=_UNQUOTED)}"
    )


def result_name(of: job.Job, extension: str) -> str:
    """The name of a job's result: what people call the job, without the recording's extension."""
    name = of.display_name or of.config.filename or of.job_id
    suffix = PurePath(name).suffix
    if name == of.config.filename and len(suffix) <= EXTENSION_CHARACTERS:
        name = name.removesuffix(suffix)
    return f"{name}.{extension}"
