"""ShareService: recordings that others may read by a link."""

from __future__ import annotations

from typing import Any

from maie.share.v1 import share_pb2 as share
from maie.share.v1 import share_pb2_grpc
from maie_core.caller import Scope, current_caller
from maie_core.errors import Code, StageError
from maie_core.reasons import Reason
from maie_core.share_tokens import is_share_id
from maie_gateway.audit.about import is_about
from maie_gateway.rpc.job_ids import checked_job_id
from maie_gateway.shares.shares import Shares


class ShareService(share_pb2_grpc.ShareServiceServicer):
    """Serves maie.share.v1.ShareService; callers share their tenant's jobs only."""

    def __init__(self, shares: Shares) -> None:
        self._shares = shares

    async def CreateShare(
        self, request: share.CreateShareRequest, context: Any
    ) -> share.CreateShareResponse:
        """Makes a share of a job."""
        caller = current_caller()
        if Scope.READ not in caller.scopes:
            # Otherwise it could read by its own share what it may not read.
            raise StageError(
                Code.PERMISSION_DENIED,
                Reason.SCOPE_MISSING,
                "Who shares a job needs the scopes submit and read, and its credentials have no "
                "read; use others, or ask who made them.",
            )
        checked_job_id(request.job_id)
        made = await self._shares.create(caller, request)
        is_about(share_id=made.share.share_id)
        return made

    async def ListShares(
        self, request: share.ListSharesRequest, context: Any
    ) -> share.ListSharesResponse:
        """Lists the shares that work."""
        if request.job_id:
            checked_job_id(request.job_id)
        found = await self._shares.listed(current_caller().tenant, request.job_id)
        return share.ListSharesResponse(shares=found)

    async def RevokeShare(
        self, request: share.RevokeShareRequest, context: Any
    ) -> share.RevokeShareResponse:
        """Ends a share at once."""
        checked_job_id(request.job_id)
        if is_share_id(request.share_id):
            is_about(share_id=request.share_id)
        await self._shares.revoke(current_caller().tenant, request.job_id, request.share_id)
        return share.RevokeShareResponse()
