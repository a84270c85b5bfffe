"""Reads the audit log, page by page."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from google.protobuf.message import DecodeError
from google.protobuf.timestamp_pb2 import Timestamp

from maie.access.v1 import access_pb2 as access
from maie_core.errors import invalid
from maie_core.reasons import Reason
from maie_gateway.readmodel.paging import page_size
from maie_runtime.bus import subjects
from maie_runtime.bus.broker import BROKER_ERRORS, Broker, broker_unavailable
from maie_runtime.bus.direct_get import Stored, stored_messages

DEFAULT_PAGE = 100
MAX_PAGE = 1000
BATCH = 500
MAX_READ = 5000
"""The most entries that are read for one page, so that a rare caller's page is not all of a log."""
_ACTION = re.compile(r"[A-Za-z0-9_./]{0,200}")


class AuditPages:
    """Reads the audit log."""

    def __init__(self, broker: Broker) -> None:
        self._broker = broker

    async def page(
        self, request: access.ListAuditEntriesRequest
    ) -> access.ListAuditEntriesResponse:
        """A page of the entries that a request asks for; its tenant and job are checked before.

        Raises:
            StageError: INVALID_ARGUMENT with PAGE_SIZE_INVALID or FIELD_INVALID; UNAVAILABLE with
                BROKER_UNAVAILABLE.
        """
        _check(request)
        most = page_size(request.page_size, DEFAULT_PAGE, MAX_PAGE)
        page = access.ListAuditEntriesResponse(read_up_to=request.after_entry_id, more=True)
        read = 0
        while page.more and len(page.entries) < most and read < MAX_READ:
            batch = await self._batch(request, page.read_up_to)
            read += len(batch)
            page.more = len(batch) == BATCH
            for stored in batch:
                if len(page.entries) == most:
                    page.more = True
                    break
                page.read_up_to = stored.sequence
                entry = _entry(stored)
                if entry is not None and _is_wanted(request, entry):
                    page.entries.append(entry)
        return page

    async def _batch(self, request: access.ListAuditEntriesRequest, after: int) -> list[Stored]:
        since = None
        if request.HasField("start_time") and not after:
            since = _utc(request.start_time, "start_time")
        try:
            return await stored_messages(
                self._broker.client,
                subjects.AUDIT,
                subjects.audit(request.tenant or "*", request.job_id or "*"),
                BATCH,
                start=after + 1,
                since=since,
            )
        except (*BROKER_ERRORS, TimeoutError) as error:
            raise broker_unavailable(error) from error


def _entry(stored: Stored) -> access.AuditEntry | None:
    """A stored entry; None where it is none, such as one that an operator wrote by hand."""
    try:
        entry = access.AuditEntry.FromString(stored.data)
    except DecodeError:
        return None
    entry.entry_id = stored.sequence
    return entry


def _is_wanted(request: access.ListAuditEntriesRequest, entry: access.AuditEntry) -> bool:
    time = entry.entry_time.ToNanoseconds()
    if request.HasField("start_time") and time < request.start_time.ToNanoseconds():
        return False
    if request.HasField("end_time") and time >= request.end_time.ToNanoseconds():
        return False
    action = request.action in ("", entry.action, entry.action.rpartition("/")[2])
    return action and request.caller_id in ("", entry.caller_id)


def _check(request: access.ListAuditEntriesRequest) -> None:
    if not _ACTION.fullmatch(request.action):
        raise invalid(
            Reason.FIELD_INVALID,
            "An action is the name of an RPC, such as CancelJob; name one, or none.",
            field="action",
        )
    if request.after_entry_id < 0:
        raise invalid(
            Reason.FIELD_INVALID,
            "after_entry_id is `read_up_to` of an earlier page, or 0.",
            field="after_entry_id",
        )
    for field in ("start_time", "end_time"):
        if request.HasField(field):
            _utc(getattr(request, field), field)


def _utc(time: Timestamp, field: str) -> datetime:
    try:
        return time.ToDatetime(UTC)
    except (ValueError, OverflowError) as error:
        raise invalid(
            Reason.FIELD_INVALID, f"{field} is no time between the years 1 and 9999.", field=field
        ) from error
