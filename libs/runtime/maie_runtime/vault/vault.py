"""How a process gets the data keys of jobs."""

from __future__ import annotations

from google.protobuf.message import DecodeError

from maie_core.errors import Code, StageError
from maie_core.reasons import Reason
from maie_runtime.vault.data_key import DataKey, SealError, is_sealed


class Vault:
    """The data keys that a process may use; here none, where everything is stored as it is."""

    async def key(self, _job_id: str) -> DataKey | None:
        """The key that new data of a job is sealed with; None where it is stored as it is.

        Raises:
            StageError: UNAVAILABLE: try again later.
        """
        return None

    async def opening_key(self, job_id: str) -> DataKey:
        """The key of a job whose data is sealed.

        Raises:
            StageError: NOT_FOUND with DATA_KEY_GONE: the job was deleted; UNAVAILABLE;
                FAILED_PRECONDITION with DATA_KEY_NOT_CONFIGURED.
        """
        raise StageError(
            Code.FAILED_PRECONDITION,
            Reason.DATA_KEY_NOT_CONFIGURED,
            f"The data of job {job_id} is encrypted, and this gateway has no master key; set "
            "MAIE_GATEWAY_MASTER_KEY to what it was when the job was made.",
        )

    async def prefetch(self) -> None:
        """Prepares for many jobs, such as all; `forget_prefetched` ends that."""
        return

    def forget_prefetched(self) -> None:
        """Forgets what `prefetch` read."""
        return


def data_key_gone(job_id: str) -> StageError:
    """The error for a job whose key is destroyed."""
    return StageError(
        Code.NOT_FOUND,
        Reason.DATA_KEY_GONE,
        f"The data of job {job_id} was encrypted, and its key is destroyed: the job was deleted.",
    )


async def sealed(vault: Vault, job_id: str, message: bytes) -> bytes:
    """A message as it is to be stored: sealed, if the job has a key.

    Raises:
        StageError: As `Vault.key`.
    """
    key = await vault.key(job_id)
    return key.seal(message) if key else message


async def opened(vault: Vault, job_id: str, stored: bytes) -> bytes:
    """A stored message, opened if it is sealed.

    Raises:
        StageError: As `Vault.opening_key`.
        DecodeError: It does not open with the job's key; it is as unreadable as one that does not
            parse.
    """
    if not is_sealed(stored):
        return stored
    key = await vault.opening_key(job_id)
    try:
        return key.open(stored)
    except SealError as error:
        raise DecodeError("the message does not open with the key of its job") from error
