"""What the broker has of templates of tenants, written by compare-and-set only.

A version's content is stored before the entry that names it, and is erased after the entry names it
no more. What a gateway that died left is removed by `OwnTemplates.left`.
"""

from __future__ import annotations

from collections import defaultdict
from contextlib import suppress
from dataclasses import dataclass

from google.protobuf.message import DecodeError, Message

from maie.summary.v1 import summary_pb2 as summary
from maie.template.v1 import stored_pb2 as stored
from maie_core.errors import StageError
from maie_core.reasons import Reason
from maie_gateway.records.bucket_errors import EntryChangedError, bucket_errors
from maie_gateway.templates.refusals import corrupt
from maie_runtime.bus import subjects
from maie_runtime.bus.broker import Broker
from maie_runtime.bus.erasing import erase_all
from maie_runtime.bus.errors import KeyNotFoundError, KeyWrongLastSequenceError
from maie_runtime.bus.stored_subjects import matching_subjects, stored_subjects

STREAM = subjects.bucket_stream(subjects.TEMPLATES)


class _KeyDestroyedError(Exception):
    """The template was deleted since its entry was read."""


@dataclass(kw_only=True, frozen=True, slots=True)
class Entry:
    """The entry of a template.

    Attributes:
        tenant: Whose it is.
        template_id: The template's id.
        head: The entry; an empty one where nobody ever saved the template.
        history: Its versions; without any where it was deleted.
        revision: The entry's revision; 0 where nobody ever saved the template.
    """

    tenant: str
    template_id: str
    head: stored.StoredTemplate
    history: stored.TemplateHistory
    revision: int

    @property
    def newest(self) -> stored.SavedVersion | None:
        """The newest version; None where there is no such template."""
        return self.history.versions[-1] if self.history.versions else None


class TemplateEntries:
    """The bucket of templates.

    Raises:
        StageError: DATA_LOSS with TEMPLATE_CORRUPT, or UNAVAILABLE with BROKER_UNAVAILABLE.
    """

    def __init__(self, broker: Broker) -> None:
        self._broker = broker

    async def read(self, tenant: str, template_id: str) -> Entry:
        """The entry of a template, also of one that was deleted or never saved."""
        with suppress(_KeyDestroyedError):
            return await self._read(tenant, template_id)
        # It was deleted between the two requests, and has another entry now.
        try:
            return await self._read(tenant, template_id)
        except _KeyDestroyedError as error:
            raise corrupt(template_id) from error

    async def write(
        self, old: Entry, new: stored.StoredTemplate, history: stored.TemplateHistory
    ) -> None:
        """Replaces an entry, and overwrites the one before on the disk.

        Raises:
            EntryChangedError: The entry is not `old` any more.
        """
        key = subjects.template_entry(old.tenant, old.template_id)
        if history.versions:
            new.history = await self._sealed(new.key_id, history.SerializeToString())
        try:
            with bucket_errors():
                data = new.SerializeToString()
                revision = await self._broker.templates.update(key, data, last=old.revision)
        except KeyWrongLastSequenceError as error:
            raise EntryChangedError from error
        with bucket_errors():
            await erase_all(self._broker, STREAM, _subject(key), before=revision)

    async def content(self, of: Entry, version: stored.SavedVersion) -> summary.Template | None:
        """The content of a version; None where the template was deleted meanwhile."""
        key = subjects.template_content(of.tenant, of.template_id, version.content_id)
        found = summary.Template()
        try:
            with bucket_errors():
                entry = await self._broker.templates.get(key)
            await self._open(of.template_id, of.head.key_id, entry.value or b"", found)
        except (KeyNotFoundError, _KeyDestroyedError):
            return None
        return found

    async def put_content(
        self, of: Entry, key_id: str, content_id: str, template: summary.Template
    ) -> None:
        """Stores the content of a version that the entry is to name next."""
        key = subjects.template_content(of.tenant, of.template_id, content_id)
        data = await self._sealed(key_id, template.SerializeToString())
        # The key is of this write alone: where it is there, an answer was lost.
        with bucket_errors(), suppress(KeyWrongLastSequenceError):
            await self._broker.templates.create(key, data)

    async def erase_content(self, tenant: str, template_id: str, content_id: str) -> None:
        """Overwrites the content of a version on the disk."""
        key = subjects.template_content(tenant, template_id, content_id)
        with bucket_errors():
            await erase_all(self._broker, STREAM, _subject(key))

    async def erase_tenant(self, tenant: str) -> None:
        """Overwrites all that is stored of a tenant's templates."""
        with bucket_errors():
            await erase_all(self._broker, STREAM, _subject(f"{tenant}.>"))

    async def ids(self, tenant: str) -> list[str]:
        """The ids of a tenant's templates, also of those that it deleted, in order."""
        pattern = _subject(subjects.template_entry(tenant, "*"))
        with bucket_errors():
            found = await matching_subjects(self._broker.client, STREAM, pattern)
        return sorted(subjects.template_of(subject)[1] for subject in found)

    async def all_contents(self) -> dict[tuple[str, str], set[str]]:
        """The ids of all contents by tenant and template; none for a deleted template."""
        with bucket_errors():
            found = await stored_subjects(self._broker.client, STREAM)
        contents: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
        for tenant, template_id, last in map(subjects.template_of, found):
            contents[tenant, template_id] |= {last} - {subjects.ENTRY}
        return contents

    async def key_id(self, tenant: str, template_id: str) -> str:
        """What the data key of a template is called; empty where it was deleted or never saved."""
        return (await self._sealed_entry(tenant, template_id))[0].key_id

    async def _read(self, tenant: str, template_id: str) -> Entry:
        found, revision = await self._sealed_entry(tenant, template_id)
        history = stored.TemplateHistory()
        if found.history:
            await self._open(template_id, found.key_id, found.history, history)
        return Entry(
            tenant=tenant, template_id=template_id, head=found, history=history, revision=revision
        )

    async def _sealed_entry(
        self, tenant: str, template_id: str
    ) -> tuple[stored.StoredTemplate, int]:
        """An entry as it is stored, and its revision; 0 where there is none."""
        found = stored.StoredTemplate()
        try:
            with bucket_errors():
                entry = await self._broker.templates.get(
                    subjects.template_entry(tenant, template_id)
                )
        except KeyNotFoundError:
            return found, 0
        _parse(template_id, entry.value or b"", found)
        return found, entry.revision or 0

    async def _open(self, template_id: str, key_id: str, data: bytes, into: Message) -> None:
        try:
            data = await self._broker.opened(key_id, data)
        except DecodeError as error:
            raise corrupt(template_id) from error
        except StageError as error:
            if error.reason == Reason.DATA_KEY_GONE:
                raise _KeyDestroyedError from error
            raise
        _parse(template_id, data, into)

    async def _sealed(self, key_id: str, data: bytes) -> bytes:
        return await self._broker.sealed(key_id, data)


def _parse(template_id: str, data: bytes, into: Message) -> None:
    try:
        into.ParseFromString(data)
    except DecodeError as error:
        raise corrupt(template_id) from error


def _subject(key: str) -> str:
    return subjects.bucket_subject(subjects.TEMPLATES, key)
