"""Wall clocks that can be made to jump, each part's by itself: libfaketime."""

from __future__ import annotations

from pathlib import Path

# Debian and Ubuntu, Fedora, and a build of one's own.
PLACES = ("/usr/lib/*/faketime", "/usr/lib64/faketime", "/usr/local/lib/faketime")
LIBRARY = "libfaketimeMT.so.1"
SETTINGS = {
    # Only the wall clock jumps, as on a machine whose clock is set, and files keep their times.
    "FAKETIME_DONT_FAKE_MONOTONIC": "1",
    "NO_FAKE_STAT": "1",
    # What the library does for old C libraries makes waits of threads many times as long.
    "FAKETIME_FORCE_MONOTONIC_FIX": "0",
    "FAKETIME_CACHE_DURATION": "1",
}


def library() -> Path | None:
    """Where libfaketime is."""
    found = (path for place in PLACES for path in Path("/").glob(f"{place[1:]}/{LIBRARY}"))
    return next(found, None)


def no_clocks() -> str | None:
    """Why clocks cannot be made to jump here; None where they can."""
    return None if library() else "libfaketime is missing (on Debian: apt install faketime)"


class Clocks:
    """One clock for each part, each right at first.

    Args:
        folder: Where the files are that say by how much each is wrong.
        parts: Whose clocks.
    """

    def __init__(self, folder: Path, parts: tuple[str, ...]) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        for part in parts:
            self.set(part, 0)

    def set(self, part: str, seconds: int) -> None:
        """Makes a part's clock wrong by so many seconds; noticed within a second."""
        written = self._folder / f"{part}.new"
        written.write_text(f"{seconds:+d}\n")
        written.replace(self._file(part))

    def environment(self, part: str) -> dict[str, str]:
        """What a part is started with so that its clock is this one."""
        return {
            "LD_PRELOAD": str(library()),
            "FAKETIME_TIMESTAMP_FILE": str(self._file(part)),
            **SETTINGS,
        }

    def _file(self, part: str) -> Path:
        return self._folder / part
