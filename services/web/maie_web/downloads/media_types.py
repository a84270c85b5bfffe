"""The media types of results and of recordings."""

from __future__ import annotations

from collections.abc import Callable, Mapping

RESULTS: Mapping[str, str] = {
    "txt": "text/plain; charset=utf-8",
    "md": "text/markdown; charset=utf-8",
    "json": "application/json",
    "srt": "application/x-subrip; charset=utf-8",
    "vtt": "text/vtt; charset=utf-8",
    "tsv": "text/tab-separated-values; charset=utf-8",
    "rttm": "text/plain; charset=utf-8",
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "pdf": "application/pdf",
}
"""The media type of each format of results."""
REPORTS: Mapping[str, str] = {
    "json": RESULTS["json"],
    "md": RESULTS["md"],
    "TextGrid": "text/plain; charset=utf-8",
    "ctm": "text/plain; charset=utf-8",
    "csv": "text/csv; charset=utf-8",
    "html": "text/html; charset=utf-8",
}
"""The media type of each format of readings and of the quality of sound."""
UNKNOWN = "application/octet-stream"
HEAD_BYTES = 64
"""As many first bytes of a recording as say what it is."""


def _mpeg_frame(head: bytes) -> bool:
    """Whether an MPEG audio frame begins here: eleven bits of synchronisation, and a layer."""
    return len(head) > 1 and head[0] == 0xFF and head[1] >> 5 == 0b111 and head[1] & 0b110 != 0


def _adts(head: bytes) -> bool:
    """Whether an ADTS frame begins here: twelve bits of synchronisation, and layer 0."""
    return len(head) > 1 and head[0] == 0xFF and head[1] & 0b1111_0110 == 0b1111_0000


_CONTAINERS: tuple[tuple[Callable[[bytes], bool], str], ...] = (
    (lambda head: head[:4] in (b"RIFF", b"RF64") and head[8:12] == b"WAVE", "audio/wav"),
    (lambda head: head[:4] == b"FORM" and head[8:12] in (b"AIFF", b"AIFC"), "audio/aiff"),
    (lambda head: head.startswith(b"fLaC"), "audio/flac"),
    (lambda head: head.startswith(b"OggS"), "audio/ogg"),
    (lambda head: head[4:8] == b"ftyp" and head[8:10] == b"qt", "video/quicktime"),
    (lambda head: head[4:8] == b"ftyp" and head[8:11] in (b"M4A", b"M4B"), "audio/mp4"),
    (lambda head: head[4:8] == b"ftyp", "video/mp4"),
    (lambda head: head.startswith(b"\x1a\x45\xdf\xa3") and b"webm" in head, "video/webm"),
    (lambda head: head.startswith(b"\x1a\x45\xdf\xa3"), "video/x-matroska"),
    (lambda head: head.startswith(b"#!AMR"), "audio/amr"),
    (lambda head: head.startswith(b"caff"), "audio/x-caf"),
    (lambda head: head.startswith(b"ID3") or _mpeg_frame(head), "audio/mpeg"),
    (_adts, "audio/aac"),
)


def media_type_of(head: bytes) -> str:
    """The media type of a recording by its container; of one that is not known, that of any bytes.

    Args:
        head: Its first `HEAD_BYTES`.
    """
    return next((kind for begins, kind in _CONTAINERS if begins(head)), UNKNOWN)
