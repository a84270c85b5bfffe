"""Upload-Checksum: the checksum of the bytes of one request."""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import AsyncGenerator, AsyncIterator
from typing import Any

from maie_core.errors import Code, StageError, invalid
from maie_core.reasons import Reason

ALGORITHMS = ("sha1", "sha256", "sha512")
"""Those that a client may choose from; tus asks for the first."""


class Checksum:
    """Compares the bytes of a request with its checksum.

    Args:
        header: The header Upload-Checksum.

    Raises:
        StageError: INVALID_ARGUMENT with FIELD_INVALID.
    """

    def __init__(self, header: str) -> None:
        algorithm, _, encoded = header.partition(" ")
        try:
            self._expected = base64.b64decode(encoded, validate=True)
        except binascii.Error:
            self._expected = b""
        if algorithm not in ALGORITHMS or not self._expected:
            raise invalid(
                Reason.FIELD_INVALID,
                "The header Upload-Checksum cannot be used; send one of "
                f"{', '.join(ALGORITHMS)} and the checksum in Base64.",
                field="upload-checksum",
            )
        # SHA-1 is what tus has clients send; it finds errors of the line, and guards nothing.
        self._digest: Any = hashlib.new(algorithm, usedforsecurity=False)

    async def checked(self, pieces: AsyncIterator[bytes]) -> AsyncGenerator[bytes, None]:
        """Passes bytes on.

        Raises:
            StageError: ABORTED with UPLOAD_CHECKSUM_WRONG, after the last.
        """
        async for piece in pieces:
            self._digest.update(piece)
            yield piece
        if self._digest.digest() != self._expected:
            raise StageError(
                Code.ABORTED,
                Reason.UPLOAD_CHECKSUM_WRONG,
                "The bytes are not those of the checksum, and none of them was kept; send them "
                "again.",
            )
