"""A recording as FFmpeg may see it. Runs in the decoder."""

from __future__ import annotations

import errno
from typing import BinaryIO


class Nameless:
    """A file object without a name, which FFmpeg would use as a format hint or as a path.

    Args:
        source: The file.
    """

    def __init__(self, source: BinaryIO) -> None:
        self._source = source
        self.read = source.read
        self.tell = source.tell

    def seek(self, offset: int, whence: int = 0) -> int:
        """Moves to a place; negative, as FFmpeg reports errors, where no file can have it.

        A damaged recording may point there, and FFmpeg decides whether it can do without.
        """
        try:
            return self._source.seek(offset, whence)
        except OSError as error:
            if error.errno != errno.EINVAL:
                raise
            return -errno.EINVAL
