"""Recordings as they are named on the command line."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

# What FFmpeg reads and people record; other files of a folder are no recordings.
ENDINGS = frozenset(
    f".{ending}"
    for ending in (
        *("wav", "mp3", "m4a", "flac", "ogg", "opus", "webm", "mp4", "aac", "amr", "3gp"),
        *("aif", "aiff", "wma", "mkv", "mov", "caf", "oga"),
    )
)


@dataclass(kw_only=True, frozen=True, slots=True)
class Recording:
    """A file of this machine, or a URL that the gateway fetches.

    Attributes:
        path: The file; of a URL, the last part of its path.
        url: The URL; empty for a file.
    """

    path: Path
    url: str = ""

    def __str__(self) -> str:
        """What messages call it; of a URL without the query, which may hold a key."""
        return self.url.partition("?")[0] or str(self.path)


def recording_of(argument: str) -> Recording:
    """The recording that an argument names: a URL where it begins with http:// or https://."""
    if not argument.lower().startswith(("http://", "https://")):
        return Recording(path=Path(argument))
    try:
        parts = urlsplit(argument)
    except ValueError:  # the gateway says what is wrong
        return Recording(path=Path(), url=argument)
    last = unquote(parts.path).rstrip("/").rpartition("/")[2]
    return Recording(path=Path(last or parts.netloc), url=argument)


def recordings_in(folder: Path) -> list[Path]:
    """The recordings of a folder and of the folders within it, in the order of their names."""
    found = (path for path in folder.rglob("*") if is_recording(path.name))
    return sorted(path for path in found if path.is_file())


def is_recording(name: str) -> bool:
    """Whether a file's name has the ending of a recording."""
    return Path(name).suffix.lower() in ENDINGS
