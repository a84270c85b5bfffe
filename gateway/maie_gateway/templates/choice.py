"""The templates that a tenant can choose from: its own, and those that come with the deployment."""

from __future__ import annotations

import asyncio
from collections import OrderedDict

from maie.summary.v1 import summary_pb2 as summary
from maie.template.v1 import stored_pb2 as stored
from maie_core.caller import Caller
from maie_core.errors import StageError
from maie_gateway.templates.own import OwnTemplates
from maie_gateway.templates.refusals import shipped, version_not_found
from maie_templates import Template, TemplateLibrary
from maie_templates.library import TEMPLATE_ID, template_not_found

# A check takes a while, and many jobs fill the same template.
REMEMBERED_TEMPLATES = 1000


class Templates:
    """The templates of each tenant.

    A template of a tenant's own goes before one that came to the deployment later under the same
    id, so that nobody's summaries change without their doing.

    Args:
        library: The templates that come with the deployment.
        own: Those of tenants.

    Raises:
        StageError: NOT_FOUND with TEMPLATE_NOT_FOUND, INVALID_ARGUMENT with TEMPLATE_REJECTED,
            DATA_LOSS with TEMPLATE_CORRUPT, or UNAVAILABLE.
    """

    def __init__(self, library: TemplateLibrary, own: OwnTemplates) -> None:
        self._library = library
        self._own = own
        self._checked: OrderedDict[str, None] = OrderedDict()

    async def get(
        self, tenant: str, template_id: str, version: int | None = None
    ) -> summary.Template:
        """A template with its content.

        Args:
            tenant: Whose call it is.
            template_id: The template.
            version: The version; 0 of one that comes with the deployment. None: the newest.

        Raises:
            StageError: Also NOT_FOUND with TEMPLATE_VERSION_NOT_FOUND.
        """
        entry = await self._own.find(tenant, template_id) if _is_id(template_id) else None
        if entry is not None and version != 0:
            if (found := await self._own.get(entry, version)) is not None:
                return found
        elif self._library.has(template_id):
            if version:
                raise version_not_found(template_id, version)
            return self._library.get(template_id).to_message()
        elif entry is not None:
            raise version_not_found(template_id, 0)
        raise await self._not_found(tenant, template_id)

    async def checked(self, tenant: str, template_id: str) -> summary.Template:
        """A template with its content, that every engine of this release can fill.

        One of a tenant's was checked when it was saved, which may be releases ago.
        """
        found = await self.get(tenant, template_id)
        if found.version and found.sha256 not in self._checked:
            await asyncio.to_thread(Template.from_message, found)
            self._checked[found.sha256] = None
            if len(self._checked) > REMEMBERED_TEMPLATES:
                self._checked.popitem(last=False)
        return found

    async def listed(self, tenant: str) -> list[summary.Template]:
        """All templates without their content, by id."""
        found = {each.template_id: _shown(each) for each in self._library.templates()}
        found |= {each.template_id: each for each in await self._own.listed(tenant)}
        return [found[template_id] for template_id in sorted(found)]

    async def save(self, caller: Caller, template: Template, base: int) -> stored.SavedVersion:
        """Saves a template of a tenant; see `OwnTemplates.save`.

        Raises:
            StageError: Also FAILED_PRECONDITION with TEMPLATE_SHIPPED.
        """
        template_id = template.template_id
        is_shipped = self._library.has(template_id)
        if is_shipped and await self._own.find(caller.tenant, template_id) is None:
            raise shipped(template_id)
        return await self._own.save(caller, template, base)

    async def versions(self, tenant: str, template_id: str) -> list[stored.SavedVersion]:
        """The versions of a template, newest first; none of one that comes with the deployment."""
        if (entry := await self._own.find(tenant, template_id)) is not None:
            return list(reversed(entry.history.versions))
        if self._library.has(template_id):
            return []
        raise await self._not_found(tenant, template_id)

    async def delete(self, tenant: str, template_id: str) -> None:
        """Deletes a template of a tenant.

        Raises:
            StageError: Also FAILED_PRECONDITION with TEMPLATE_SHIPPED.
        """
        if await self._own.delete(tenant, template_id):
            return
        if self._library.has(template_id):
            raise shipped(template_id)
        raise await self._not_found(tenant, template_id)

    async def _not_found(self, tenant: str, template_id: str) -> StageError:
        own = [each.template_id for each in await self._own.listed(tenant)]
        return template_not_found(template_id, sorted({*own, *self._library.ids()}))


def _is_id(template_id: str) -> bool:
    return bool(TEMPLATE_ID.fullmatch(template_id))


def _shown(template: Template) -> summary.Template:
    """A template as lists show it."""
    return summary.Template(
        template_id=template.template_id,
        title=template.title,
        description=template.description,
        sha256=template.sha256,
    )
