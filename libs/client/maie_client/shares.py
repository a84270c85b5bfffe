"""Links by which others read a recording."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from maie.share.v1 import share_pb2 as share
from maie.share.v1 import share_pb2_grpc as share_grpc
from maie_client.asking import Ask
from maie_client.text import sendable


class Shares:
    """Makes, lists and revokes shares of jobs; `Client.shares` has it.

    Those who have the token of a share read its job with it, as `Client(address, token=token)`:
    `get_job`, and `get_audio` where the share allows that. Every method raises ClientError, such as
    NOT_FOUND with JOB_NOT_FOUND.
    """

    def __init__(self, stub: Callable[[], share_grpc.ShareServiceStub], ask: Ask) -> None:
        self._stub = stub
        self._ask = ask

    async def create(
        self, job_id: str, *, lifetime: timedelta | None = None, audio: bool = False
    ) -> share.CreateShareResponse:
        """Makes a share; `token` of the answer is the only time that it is shown.

        Args:
            job_id: The job.
            lifetime: How long it works; unset: as long as the mesh's own setting says.
            audio: Whether it gives the audio as well.
        """
        request = share.CreateShareRequest(job_id=sendable(job_id), lifetime=lifetime, audio=audio)
        made: share.CreateShareResponse = await self._ask(self._stub().CreateShare, request)
        return made

    async def list(self, job_id: str = "") -> list[share.Share]:
        """Lists the shares that work, of one job or of all, the newest first."""
        request = share.ListSharesRequest(job_id=sendable(job_id))
        return list((await self._ask(self._stub().ListShares, request)).shares)

    async def revoke(self, job_id: str, share_id: str) -> None:
        """Ends a share at once."""
        request = share.RevokeShareRequest(job_id=sendable(job_id), share_id=sendable(share_id))
        await self._ask(self._stub().RevokeShare, request)
