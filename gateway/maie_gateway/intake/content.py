"""Detects by an upload's first bytes, not by its name, files that are certainly no recording.

Preprocess checks the rest. This spares clients the upload of a whole archive.
"""

from __future__ import annotations

from maie_core.errors import StageError, invalid
from maie_core.reasons import Reason

HEAD_BYTES = 16
# The first bytes of such files, by their specifications. No audio container begins like this.
_OTHER_KINDS = {
    b"%PDF-": "a PDF document",
    b"PK\x03\x04": "a ZIP archive or an office document",
    b"PK\x05\x06": "an empty ZIP archive",
    b"Rar!\x1a\x07": "a RAR archive",
    b"7z\xbc\xaf\x27\x1c": "a 7z archive",
    b"\x1f\x8b\x08": "a gzip archive",
    b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1": "an office document",
    b"\x89PNG\r\n\x1a\n": "a PNG picture",
    b"\xff\xd8\xff": "a JPEG picture",
    b"GIF87a": "a GIF picture",
    b"GIF89a": "a GIF picture",
}
# Such as a page to log in, in place of a file. Upper and lower case are the same.
_WEB_PAGE = (b"<!doctype html", b"<html")


def check_head(head: bytes) -> None:
    """Refuses files that are certainly no recording.

    Args:
        head: The first bytes, up to `HEAD_BYTES`.

    Raises:
        StageError: INVALID_ARGUMENT with UNSUPPORTED_FORMAT, naming what it is.
    """
    for magic, kind in _OTHER_KINDS.items():
        if head.startswith(magic):
            raise _refused(kind)
    if head.lower().startswith(_WEB_PAGE):
        raise _refused("a web page")


def _refused(kind: str) -> StageError:
    return invalid(
        Reason.UNSUPPORTED_FORMAT,
        f"The file is {kind}, not a recording; send sound, such as wav, mp3, m4a, flac, ogg, opus, "
        "webm or mp4.",
    )
