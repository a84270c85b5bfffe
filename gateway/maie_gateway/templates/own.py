"""The templates that tenants make themselves, and their versions."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime, timedelta

import structlog
import uuid_utils

from maie.summary.v1 import summary_pb2 as summary
from maie.template.v1 import stored_pb2 as stored
from maie_core.caller import Caller
from maie_core.errors import StageError
from maie_core.limits import MAX_TEMPLATE_IDS, MAX_TEMPLATE_VERSIONS, MAX_TEMPLATES
from maie_core.reasons import Reason
from maie_gateway.records.bucket_errors import EntryChangedError
from maie_gateway.templates.entries import Entry, TemplateEntries
from maie_gateway.templates.refusals import (
    outdated,
    too_many,
    too_many_versions,
    version_not_found,
)
from maie_gateway.vault.data_keys import JobKeys
from maie_runtime.ids import made_at
from maie_templates import Template

log = structlog.get_logger()


class OwnTemplates:
    """The templates of tenants.

    Args:
        entries: The bucket of them.
        keys: Makes the key of a template, where what is stored is encrypted.

    Raises:
        StageError: As `TemplateEntries`.
    """

    def __init__(self, entries: TemplateEntries, keys: JobKeys) -> None:
        self._entries = entries
        self._keys = keys

    async def find(self, tenant: str, template_id: str) -> Entry | None:
        """The entry of a template; None where the tenant has none of this id."""
        entry = await self._entries.read(tenant, template_id)
        return entry if entry.newest else None

    async def get(self, of: Entry, version: int | None) -> summary.Template | None:
        """A version with its content, the newest one where None is named.

        Returns:
            None where the template was deleted meanwhile.

        Raises:
            StageError: NOT_FOUND with TEMPLATE_VERSION_NOT_FOUND.
        """
        versions = of.history.versions
        found = [each for each in versions if version in (None, each.version)]
        if not found:
            raise version_not_found(of.template_id, version or 0)
        return await self._entries.content(of, found[-1])

    async def listed(self, tenant: str) -> list[summary.Template]:
        """A tenant's templates in their newest version, without content, by id."""
        ids = await self._entries.ids(tenant)
        entries = await asyncio.gather(*(self._readable(tenant, each) for each in ids))
        return [_shown(entry) for entry in entries if entry is not None and entry.newest]

    async def save(self, caller: Caller, template: Template, base: int) -> stored.SavedVersion:
        """Saves the next version of a template, or a new one on top of version 0.

        Raises:
            StageError: ABORTED with TEMPLATE_OUTDATED, FAILED_PRECONDITION with TEMPLATES_FULL.
        """
        while True:
            before = await self._entries.read(caller.tenant, template.template_id)
            newest = before.newest
            if newest is not None and _is_same(newest, caller, template, base):
                return newest
            if base != (newest.version if newest else 0):
                raise outdated(template.template_id, newest.version if newest else 0)
            await self._check_room(before)
            try:
                return await self._add(before, caller, template)
            except EntryChangedError:
                continue

    async def delete(self, tenant: str, template_id: str) -> bool:
        """Deletes a template; False where the tenant has none of this id."""
        while True:
            before = await self._entries.read(tenant, template_id)
            if before.newest is None:
                return False
            gone = stored.StoredTemplate(last_version=before.head.last_version)
            gone.delete_time.FromDatetime(datetime.now(UTC))
            try:
                await self._entries.write(before, gone, stored.TemplateHistory())
            except EntryChangedError:
                continue
            for each in before.history.versions:
                await self._entries.erase_content(tenant, template_id, each.content_id)
            await self._keys.destroy(before.head.key_id)
            log.info("template.deleted", tenant=tenant, template=template_id)
            return True

    async def remove_all(self, tenant: str) -> None:
        """Deletes all templates of a tenant, and overwrites on the disk that there were any."""
        for template_id in await self._entries.ids(tenant):
            if await self._readable(tenant, template_id) is not None:
                await self.delete(tenant, template_id)
        await self._entries.erase_tenant(tenant)

    async def key_ids(self) -> set[str]:
        """What the data keys of all templates are called."""
        found = [await self._entries.key_id(*each) for each in await self._entries.all_contents()]
        return set(found) - {""}

    async def left(self, lifetime: timedelta) -> list[tuple[str, str, str]]:
        """Contents that no entry names: of a gateway that died, or of a save that lost.

        Args:
            lifetime: How long a content waits for its entry.

        Returns:
            The tenant, the template and the content of each.
        """
        youngest = time.time() - lifetime.total_seconds()
        found = []
        for (tenant, template_id), contents in (await self._entries.all_contents()).items():
            if (entry := await self._readable(tenant, template_id)) is None:
                continue
            unnamed = contents - {each.content_id for each in entry.history.versions}
            old = sorted(each for each in unnamed if made_at(each) < youngest)
            found += [(tenant, template_id, each) for each in old]
        return found

    async def erase(self, tenant: str, template_id: str, content_id: str) -> None:
        """Overwrites a content on the disk."""
        await self._entries.erase_content(tenant, template_id, content_id)

    async def _readable(self, tenant: str, template_id: str) -> Entry | None:
        """An entry; None where it cannot be read."""
        try:
            return await self._entries.read(tenant, template_id)
        except StageError as error:
            if error.reason != Reason.TEMPLATE_CORRUPT:
                raise
            log.error("template.corrupt", tenant=tenant, template=template_id)
            return None

    async def _check_room(self, before: Entry) -> None:
        if before.newest is not None:
            if len(before.history.versions) >= MAX_TEMPLATE_VERSIONS:
                raise too_many_versions(before.template_id)
            return
        ids = await self._entries.ids(before.tenant)
        is_full = len(ids) >= MAX_TEMPLATE_IDS and before.template_id not in ids
        if is_full or len(await self.listed(before.tenant)) >= MAX_TEMPLATES:
            raise too_many()

    async def _add(self, before: Entry, caller: Caller, template: Template) -> stored.SavedVersion:
        """Stores the next version.

        Raises:
            EntryChangedError: Somebody was faster.
        """
        base, key_id = before.newest, before.head.key_id
        if not key_id:
            key_id = str(uuid_utils.uuid7())
            await self._keys.make(key_id)
        number = before.head.last_version + 1
        saved = stored.SavedVersion(
            version=number,
            base_version=base.version if base else 0,
            author=caller.id,
            sha256=template.sha256,
            content_id=str(uuid_utils.uuid7()),
        )
        saved.save_time.FromDatetime(datetime.now(UTC))
        content = template.to_message()
        content.version = number
        await self._entries.put_content(before, key_id, saved.content_id, content)
        history = stored.TemplateHistory(title=template.title, description=template.description)
        history.versions.extend([*before.history.versions, saved])
        entry = stored.StoredTemplate(last_version=number, key_id=key_id)
        try:
            await self._entries.write(before, entry, history)
        except EntryChangedError:
            now = await self._entries.read(before.tenant, before.template_id)
            if saved in now.history.versions:
                return saved  # the write's answer was lost
            await self._entries.erase_content(before.tenant, before.template_id, saved.content_id)
            if not base:
                await self._keys.destroy(key_id)
            raise
        log.info(
            "template.saved", tenant=before.tenant, template=before.template_id, version=number
        )
        return saved


def _is_same(newest: stored.SavedVersion, caller: Caller, template: Template, base: int) -> bool:
    """Whether a save is one that was made before, whose answer was lost."""
    before = newest.base_version, newest.author, newest.sha256
    return before == (base, caller.id, template.sha256)


def _shown(entry: Entry) -> summary.Template:
    """A template as lists show it."""
    newest = entry.history.versions[-1]
    return summary.Template(
        template_id=entry.template_id,
        title=entry.history.title,
        description=entry.history.description,
        sha256=newest.sha256,
        version=newest.version,
    )
