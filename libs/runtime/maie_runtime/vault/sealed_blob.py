"""Stored objects that are sealed in segments, so that a part of one can be read and checked.

The STREAM construction (Hoang, Reyhanitabar, Rogaway and Vizar, 2015,
https://eprint.iacr.org/2015/189) with AES-256-GCM, as in age and Tink: a header with a random salt,
and then each 64 KiB of content with a tag. The key is derived from the job's key and the salt. The
nonce is the number of the segment and whether it is the last one, so segments cannot be moved,
repeated or left out.
"""

from __future__ import annotations

import secrets

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from maie_runtime.vault.data_key import TAG_BYTES, DataKey, SealError

MAGIC = b"\x00maie-blob1"
SALT_BYTES = 32
HEADER_BYTES = len(MAGIC) + SALT_BYTES
SEGMENT_BYTES = 64 * 1024
"""The content of a segment, in bytes; the last one has 0 to as many."""
STORED_SEGMENT_BYTES = SEGMENT_BYTES + TAG_BYTES


def is_sealed_blob(data: bytes) -> bool:
    """Whether a stored object is sealed, by its first bytes."""
    return data.startswith(MAGIC)


def segments_of(size: int) -> int:
    """The number of segments of content of so many bytes; an empty object has one."""
    return max(1, -(-size // SEGMENT_BYTES))


def stored_range(start: int, end: int, size: int) -> tuple[int, int]:
    """Where the segments with the bytes from `start` to before `end` are in the stored object.

    Args:
        start: The first byte of the content, from 0.
        end: The byte after the last one, more than `start`.
        size: The size of the whole content.
    """
    first, last = start // SEGMENT_BYTES, (end - 1) // SEGMENT_BYTES
    total = HEADER_BYTES + size + segments_of(size) * TAG_BYTES
    return (
        HEADER_BYTES + first * STORED_SEGMENT_BYTES,
        min(HEADER_BYTES + (last + 1) * STORED_SEGMENT_BYTES, total),
    )


def _cipher(key: DataKey, salt: bytes) -> AESGCM:
    return AESGCM(key.derived("blob", salt))


def _nonce(number: int, *, last: bool) -> bytes:
    return number.to_bytes(11, "big") + bytes([last])


class BlobSealer:
    """Seals an object as it is written."""

    def __init__(self, key: DataKey) -> None:
        salt = secrets.token_bytes(SALT_BYTES)
        self._cipher = _cipher(key, salt)
        self._ready = MAGIC + salt
        self._number = 0
        self._pending = bytearray()

    def update(self, data: bytes) -> bytes:
        """Takes bytes, and returns what is to be stored next. The last segment is held back."""
        self._pending += data
        out = bytearray(self._ready)
        self._ready = b""
        used = 0
        while len(self._pending) - used > SEGMENT_BYTES:
            out += self._segment(self._pending[used : used + SEGMENT_BYTES], last=False)
            used += SEGMENT_BYTES
        del self._pending[:used]
        return bytes(out)

    def finish(self) -> bytes:
        """Returns the rest of what is to be stored."""
        return self.update(b"") + self._segment(self._pending, last=True)

    def _segment(self, content: bytes | bytearray, *, last: bool) -> bytes:
        sealed = self._cipher.encrypt(_nonce(self._number, last=last), bytes(content), None)
        self._number += 1
        return sealed


class BlobOpener:
    """Opens a sealed object, or a part of one, as its bytes arrive.

    Args:
        key: The job's key.
        salt: The salt of the object's header.
        size: The size of the whole content, in bytes.
        first: The first segment that arrives.
    """

    def __init__(self, key: DataKey, salt: bytes, size: int, first: int = 0) -> None:
        self._cipher = _cipher(key, salt)
        self._last = segments_of(size) - 1
        self._number = first
        self._pending = bytearray()

    def update(self, stored: bytes) -> bytes:
        """Takes stored bytes, and returns the content of all segments that are complete.

        Raises:
            SealError: A segment was changed, or is not of this object.
        """
        self._pending += stored
        out, used = bytearray(), 0
        while len(self._pending) - used >= STORED_SEGMENT_BYTES:
            out += self._open(self._pending[used : used + STORED_SEGMENT_BYTES])
            used += STORED_SEGMENT_BYTES
        del self._pending[:used]
        return bytes(out)

    def finish(self, *, whole: bool = True) -> bytes:
        """Returns the rest of the content.

        Args:
            whole: Whether the object's last segment has to be among what arrived.

        Raises:
            SealError: As `update`, or the object was cut short.
        """
        rest = self._open(bytes(self._pending)) if self._pending else b""
        if whole and self._number <= self._last:
            raise SealError
        return rest

    def _open(self, segment: bytes | bytearray) -> bytes:
        nonce = _nonce(self._number, last=self._number == self._last)
        self._number += 1
        try:
            return self._cipher.decrypt(nonce, bytes(segment), None)
        except (InvalidTag, ValueError) as error:
            raise SealError from error


def salt_of(header: bytes) -> bytes:
    """The salt in the first `HEADER_BYTES` of a sealed object.

    Raises:
        SealError: It is no sealed object.
    """
    if not is_sealed_blob(header) or len(header) < HEADER_BYTES:
        raise SealError
    return header[len(MAGIC) : HEADER_BYTES]


def sealed_whole(key: DataKey, content: bytes) -> bytes:
    """A small object as it is stored."""
    sealer = BlobSealer(key)
    return sealer.update(content) + sealer.finish()


def open_whole(key: DataKey, stored: bytes, size: int) -> bytes:
    """The content of a whole sealed object.

    Raises:
        SealError: It was changed, cut short, or sealed with another key.
    """
    opener = BlobOpener(key, salt_of(stored), size)
    return opener.update(stored[HEADER_BYTES:]) + opener.finish()
