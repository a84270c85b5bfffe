"""Boxes: data that only one receiver can open (libsodium's crypto_box)."""

from __future__ import annotations

from functools import lru_cache

from nacl.exceptions import CryptoError
from nacl.public import Box, PrivateKey, PublicKey

# The parts of a mesh, with room for those that were restarted.
REMEMBERED_PEERS = 1024


class Boxes:
    """Boxes between this process and others. Its key pair is never stored.

    Attributes:
        public_key: What others put into boxes for it with; 32 bytes.
    """

    def __init__(self) -> None:
        own = PrivateKey.generate()
        self.public_key = bytes(own.public_key)
        # What is agreed with a peer is computed once, since that takes most of the time.
        self._with = lru_cache(REMEMBERED_PEERS)(lambda peer: Box(own, PublicKey(peer)))

    def seal(self, content: bytes, receiver: bytes) -> bytes:
        """Puts content into a box.

        Args:
            content: The content.
            receiver: The receiver's public key.

        Raises:
            ValueError: It is no public key.
        """
        try:
            return bytes(self._with(receiver).encrypt(content))
        except (CryptoError, TypeError) as error:
            raise ValueError("this is no public key") from error

    def open(self, sealed: bytes, sender: bytes) -> bytes:
        """Takes the content out of a box.

        Args:
            sealed: The box.
            sender: The sender's public key.

        Raises:
            ValueError: It is not for this process, not from the sender, or was changed.
        """
        try:
            return self._with(sender).decrypt(sealed)
        except (CryptoError, TypeError) as error:
            raise ValueError("the box does not open") from error
