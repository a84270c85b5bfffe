"""Audio that is cut anywhere, as whole samples."""

from __future__ import annotations

from collections.abc import Mapping

from maie.live.v1 import live_pb2 as live

_SAMPLE_BYTES: Mapping[live.AudioEncoding, int] = {live.AUDIO_ENCODING_LINEAR16: 2}


class WholeSamples:
    """Keeps the begin of a sample until its rest comes.

    Args:
        format_: The format; encodings without samples may be cut anywhere.
    """

    def __init__(self, format_: live.AudioFormat) -> None:
        is_sampled = format_.sample_rate_hertz > 0
        size = _SAMPLE_BYTES.get(format_.encoding, 1)
        self._frame = size * max(1, format_.channels) if is_sampled else 1
        self._rest = b""

    def feed(self, content: bytes) -> bytes:
        """The whole samples that there are now."""
        content = self._rest + content
        whole = len(content) - len(content) % self._frame
        self._rest = content[whole:]
        return content[:whole]
