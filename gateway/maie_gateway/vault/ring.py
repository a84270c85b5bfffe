"""The ring: the keys that wrap the keys of jobs, themselves wrapped by the master key.

The master key may be a service far away, which each job need not wait for, and may change without
touching any job.
"""

from __future__ import annotations

import secrets

import structlog
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from maie_gateway.vault.master_key import MasterKey, master_key_invalid
from maie_runtime.bus.broker import BROKER_ERRORS, Broker, broker_unavailable
from maie_runtime.bus.errors import KeyNotFoundError, KeyWrongLastSequenceError
from maie_runtime.vault.data_key import KEY_BYTES, DataKey

log = structlog.get_logger()

NONCE_BYTES = 12
FIRST = "ring.1"


class Ring:
    """Wraps and unwraps the keys of jobs.

    Args:
        key: The ring's key, 32 bytes.
    """

    def __init__(self, key: bytes) -> None:
        self._cipher = AESGCM(key)

    def wrap(self, key: DataKey) -> bytes:
        """The key of a job as it is stored."""
        nonce = secrets.token_bytes(NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, key.secret, key.job_id.encode())

    def unwrap(self, job_id: str, wrapped: bytes) -> DataKey:
        """The key of a job.

        Raises:
            StageError: FAILED_PRECONDITION with MASTER_KEY_INVALID: it was wrapped by another ring.
        """
        nonce, rest = wrapped[:NONCE_BYTES], wrapped[NONCE_BYTES:]
        try:
            return DataKey(job_id, self._cipher.decrypt(nonce, rest, job_id.encode()))
        except (InvalidTag, ValueError) as error:
            raise master_key_invalid(f"the key of job {job_id} was not made with it") from error


async def open_ring(broker: Broker, master: MasterKey) -> Ring:
    """Reads the mesh's ring, or makes it where there is none yet.

    Raises:
        StageError: As `MasterKey`; UNAVAILABLE with BROKER_UNAVAILABLE.
    """
    try:
        wrapped, revision = await _read_or_make(broker, master)
        key = await master.unwrap(wrapped)
        if not master.is_current(wrapped):
            await _rewrap(broker, await master.wrap(key), revision)
    except BROKER_ERRORS as error:
        raise broker_unavailable(error) from error
    return Ring(key)


async def has_ring(broker: Broker) -> bool:
    """Whether the data of this mesh's jobs is encrypted."""
    try:
        await broker.data_keys.get(FIRST)
    except KeyNotFoundError:
        return False
    except BROKER_ERRORS as error:
        raise broker_unavailable(error) from error
    return True


async def _read_or_make(broker: Broker, master: MasterKey) -> tuple[bytes, int]:
    while True:
        try:
            entry = await broker.data_keys.get(FIRST)
            return entry.value or b"", entry.revision or 0
        except KeyNotFoundError:
            made = await master.wrap(secrets.token_bytes(KEY_BYTES))
        try:
            return made, await broker.data_keys.create(FIRST, made)
        except KeyWrongLastSequenceError:
            continue  # another gateway made it


async def _rewrap(broker: Broker, wrapped: bytes, revision: int) -> None:
    try:
        await broker.data_keys.update(FIRST, wrapped, last=revision)
        log.info("vault.rewrapped")
    except KeyWrongLastSequenceError:
        pass  # another gateway did it
