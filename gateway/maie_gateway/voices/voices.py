"""What tenants do with profiles of voices."""

from __future__ import annotations

import asyncio
import uuid
from dataclasses import dataclass

import structlog
import uuid_utils

from maie.job.v1 import record_pb2 as record
from maie.voice.v1 import stored_pb2 as stored
from maie.voice.v1 import voice_pb2 as voice
from maie_core.caller import Caller
from maie_core.limits import MAX_VOICE_ENROLLMENTS
from maie_gateway.limits.callers import CallerLimits
from maie_gateway.records.bucket_errors import EntryChangedError
from maie_gateway.records.store import JobStore
from maie_gateway.vault.data_keys import JobKeys
from maie_gateway.voices.entries import Entry, VoiceEntries
from maie_gateway.voices.finding import candidates
from maie_gateway.voices.hearing import JobVoices
from maie_gateway.voices.profiles import changed, enrollment_of, is_same, with_enrollment
from maie_gateway.voices.refusals import (
    not_found,
    off,
    outdated,
    request_id_reused,
    too_many,
    too_many_recordings,
)

log = structlog.get_logger()


@dataclass(kw_only=True, frozen=True, slots=True)
class Profile:
    """A profile as it is stored.

    Attributes:
        voice_id: Its id.
        content: What is known of the voice.
    """

    voice_id: str
    content: stored.VoiceProfile


class Voices:
    """The profiles of all tenants.

    Args:
        entries: The bucket of them.
        keys: Makes the key of a profile, where what is stored is encrypted.
        jobs: The job records.
        heard: How the speakers of jobs sound.
        limits: How many profiles tenants may have.

    Raises:
        StageError: As `VoiceEntries`.
    """

    def __init__(
        self,
        *,
        entries: VoiceEntries,
        keys: JobKeys,
        jobs: JobStore,
        heard: JobVoices,
        limits: CallerLimits,
    ) -> None:
        self._entries = entries
        self._keys = keys
        self._jobs = jobs
        self._heard = heard
        self._limits = limits

    async def enroll(self, caller: Caller, request: voice.EnrollVoiceRequest) -> Profile:
        """Makes a profile of a speaker's voice, or adds a recording to one.

        Args:
            caller: Who asks.
            request: The request, which is valid.

        Raises:
            StageError: As the contract says.
        """
        of = await self._job(caller.tenant, request.job_id)
        if request.voice_id:
            await self.get(caller.tenant, request.voice_id)
        self._check_on(caller.tenant)
        async with self._jobs.reading(request.job_id):
            heard = await self._heard.voice(of, request.speaker, request.segment_ids)
        made = enrollment_of(caller, request, heard)
        if request.voice_id:
            return await self._add(caller, request, made)
        return await self._create(caller, request, made)

    async def get(self, tenant: str, voice_id: str) -> Profile:
        """A profile.

        Raises:
            StageError: NOT_FOUND with VOICE_NOT_FOUND.
        """
        return _profile(await self._known(tenant, voice_id))

    async def listed(self, tenant: str) -> list[Profile]:
        """The profiles of a tenant, by name; those that cannot be read are left out."""
        found = map(_profile, await self._entries.all(tenant))
        return sorted(found, key=lambda each: (each.content.display_name.casefold(), each.voice_id))

    def most(self, tenant: str) -> int:
        """How many profiles a tenant may have; 0 where voices are off for it."""
        return self._limits.voices_of(tenant)

    async def rename(self, caller: Caller, voice_id: str, name: str, base: int) -> Profile:
        """Gives a profile another name.

        Raises:
            StageError: NOT_FOUND with VOICE_NOT_FOUND; ABORTED with VOICE_OUTDATED;
                FAILED_PRECONDITION with VOICES_OFF.
        """
        while True:
            before = await self._known(caller.tenant, voice_id)
            self._check_on(caller.tenant)
            now = before.profile
            mine = (now.revision, now.display_name, now.updated_by)
            if mine == (base + 1, name, caller.id):
                return _profile(before)  # the answer was lost
            if now.revision != base:
                raise outdated(voice_id, now.revision)
            profile = changed(now, caller, name=name)
            try:
                await self._entries.replace(before, profile)
            except EntryChangedError:
                continue
            return Profile(voice_id=voice_id, content=profile)

    async def delete(self, tenant: str, voice_id: str) -> None:
        """Deletes a profile, and overwrites on the disk what is stored of it.

        Raises:
            StageError: NOT_FOUND with VOICE_NOT_FOUND.
        """
        key_id = await self._entries.remove(tenant, voice_id)
        if key_id is None:
            raise not_found(voice_id)
        if key_id:
            await self._keys.destroy(key_id)
        log.info("voice.deleted", tenant=tenant, voice=voice_id)

    async def find(self, tenant: str, job_id: str) -> voice.FindVoicesResponse:
        """Who of the enrolled people may speak in a job.

        Raises:
            StageError: NOT_FOUND with JOB_NOT_FOUND; FAILED_PRECONDITION with VOICES_OFF,
                VOICES_NOT_READY or VOICES_MISSING.
        """
        of = await self._job(tenant, job_id)
        self._check_on(tenant)
        async with self._jobs.reading(job_id):
            made = await self._heard.speakers(of)
        return await asyncio.to_thread(candidates, made, await self._entries.all(tenant))

    async def remove_all(self, tenant: str) -> None:
        """Deletes all profiles of a tenant."""
        for voice_id in sorted(await self._entries.ids(tenant)):
            if key_id := await self._entries.remove(tenant, voice_id):
                await self._keys.destroy(key_id)
        await self._entries.erase(tenant, "*")

    async def key_ids(self) -> set[str]:
        """What the data keys of all profiles are called."""
        return {head.key_id for _, head in await self._entries.heads()} - {""}

    async def left(self) -> list[tuple[str, str]]:
        """Profiles whose gateway died while it deleted them: the tenant and the id of each."""
        return [
            (tenant, head.voice_id)
            for tenant, head in await self._entries.heads()
            if not head.key_id
        ]

    async def erase(self, tenant: str, voice_id: str) -> None:
        """Overwrites on the disk what is left of a profile."""
        await self._entries.erase(tenant, voice_id)

    async def _create(
        self, caller: Caller, request: voice.EnrollVoiceRequest, made: stored.StoredEnrollment
    ) -> Profile:
        voice_id = _new_id(caller.tenant, request.request_id)
        if before := await self._entries.read(caller.tenant, voice_id):
            return _same(before, request.display_name, made)
        most = self.most(caller.tenant)
        if len(await self._entries.ids(caller.tenant)) >= most:
            raise too_many(caller.tenant, most)
        profile = with_enrollment(stored.VoiceProfile(), caller, made, request.display_name)
        key_id = str(uuid_utils.uuid7())
        await self._keys.make(key_id)
        try:
            await self._entries.create(caller.tenant, voice_id, key_id, profile)
        except EntryChangedError:
            # The same call at another gateway, or a write of ours whose answer was lost.
            before = await self._known(caller.tenant, voice_id)
            if before.key_id != key_id:
                await self._keys.destroy(key_id)
            return _same(before, request.display_name, made)
        log.info("voice.enrolled", tenant=caller.tenant, voice=voice_id)
        return Profile(voice_id=voice_id, content=profile)

    async def _add(
        self, caller: Caller, request: voice.EnrollVoiceRequest, made: stored.StoredEnrollment
    ) -> Profile:
        while True:
            before = await self._known(caller.tenant, request.voice_id)
            if any(is_same(each, made) for each in before.profile.enrollments) and (
                request.display_name in ("", before.profile.display_name)
            ):
                return _profile(before)
            profile = with_enrollment(before.profile, caller, made, request.display_name)
            if len(profile.enrollments) > MAX_VOICE_ENROLLMENTS:
                raise too_many_recordings(request.voice_id)
            try:
                await self._entries.replace(before, profile)
            except EntryChangedError:
                continue
            log.info("voice.enrolled", tenant=caller.tenant, voice=request.voice_id)
            return Profile(voice_id=request.voice_id, content=profile)

    async def _job(self, tenant: str, job_id: str) -> record.JobRecord:
        return (await self._jobs.get_own(job_id, tenant)).record

    async def _known(self, tenant: str, voice_id: str) -> Entry:
        entry = await self._entries.read(tenant, voice_id)
        if entry is None:
            raise not_found(voice_id)
        return entry

    def _check_on(self, tenant: str) -> None:
        """Refuses what a tenant whose limit is 0 may not do."""
        if not self.most(tenant):
            raise off(tenant)


def _new_id(tenant: str, request_id: str) -> str:
    """The id of a new profile: the same for the same request id of a tenant."""
    if not request_id:
        return str(uuid_utils.uuid7())
    return str(uuid.uuid5(uuid.NAMESPACE_OID, f"{tenant}.{request_id}"))


def _same(before: Entry, name: str, made: stored.StoredEnrollment) -> Profile:
    """The profile that a request id made before.

    Raises:
        StageError: ALREADY_EXISTS with REQUEST_ID_REUSED: it is not the same enrolment.
    """
    profile = before.profile
    if profile.display_name != name or not is_same(profile.enrollments[0], made):
        raise request_id_reused(before.voice_id)
    return _profile(before)


def _profile(entry: Entry) -> Profile:
    return Profile(voice_id=entry.voice_id, content=entry.profile)
