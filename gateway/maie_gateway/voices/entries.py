"""What the broker has of profiles of voices, written by compare-and-set only.

A profile has a data key of its own. To delete one, an entry without a key takes its place, so that
nobody changes it any more; then all entries are overwritten on the disk, and so is the key. What a
gateway that died left is removed by `Voices.left`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

import structlog
from google.protobuf.message import DecodeError, Message

from maie.voice.v1 import stored_pb2 as stored
from maie_core.errors import StageError
from maie_core.reasons import Reason
from maie_gateway.records.bucket_errors import EntryChangedError, bucket_errors
from maie_gateway.voices.refusals import corrupt
from maie_runtime.bus import subjects
from maie_runtime.bus.broker import Broker
from maie_runtime.bus.direct_get import stored_messages
from maie_runtime.bus.erasing import erase_all
from maie_runtime.bus.errors import KeyNotFoundError, KeyWrongLastSequenceError
from maie_runtime.bus.stored_subjects import matching_subjects, stored_subjects

log = structlog.get_logger()

STREAM = subjects.bucket_stream(subjects.VOICES)
# How many entries come in one answer.
BATCH = 500


@dataclass(kw_only=True, frozen=True, slots=True)
class Entry:
    """The entry of a profile.

    Attributes:
        tenant: Whose it is.
        voice_id: The profile's id.
        key_id: What its data key is called.
        profile: What is known of the voice.
        sequence: The entry's place in the bucket.
    """

    tenant: str
    voice_id: str
    key_id: str
    profile: stored.VoiceProfile
    sequence: int


class VoiceEntries:
    """The bucket of profiles.

    Raises:
        StageError: DATA_LOSS with VOICE_CORRUPT, or UNAVAILABLE with BROKER_UNAVAILABLE.
    """

    def __init__(self, broker: Broker) -> None:
        self._broker = broker

    async def read(self, tenant: str, voice_id: str) -> Entry | None:
        """The entry of a profile; None where the tenant has none of this id."""
        head, sequence = await self._head(tenant, voice_id)
        return await self._opened(tenant, head, sequence) if head.key_id else None

    async def create(
        self, tenant: str, voice_id: str, key_id: str, profile: stored.VoiceProfile
    ) -> None:
        """Stores a new profile.

        Raises:
            EntryChangedError: There is one of this id.
        """
        data = await self._sealed(voice_id, key_id, profile)
        try:
            with bucket_errors():
                await self._broker.voices.create(subjects.voice(tenant, voice_id), data)
        except KeyWrongLastSequenceError as error:
            raise EntryChangedError from error

    async def replace(self, old: Entry, profile: stored.VoiceProfile) -> None:
        """Replaces a profile, and overwrites the one before on the disk.

        Raises:
            EntryChangedError: The entry is not `old` any more.
        """
        data = await self._sealed(old.voice_id, old.key_id, profile)
        sequence = await self._update(old.tenant, old.voice_id, data, old.sequence)
        with bucket_errors():
            subject = _subject(old.tenant, old.voice_id)
            await erase_all(self._broker, STREAM, subject, before=sequence)

    async def remove(self, tenant: str, voice_id: str) -> str | None:
        """Overwrites all that is stored of a profile on the disk, but for its data key.

        It need not be readable.

        Returns:
            What its data key is called, empty where nobody can read that; None where the tenant
            has none of this id.
        """
        while True:
            try:
                head, sequence = await self._head(tenant, voice_id)
            except StageError as error:
                if error.reason != Reason.VOICE_CORRUPT:
                    raise
                await self.erase(tenant, voice_id)
                return ""
            if not head.key_id:
                return None
            gone = stored.StoredVoice(voice_id=voice_id).SerializeToString()
            with suppress(EntryChangedError):
                await self._update(tenant, voice_id, gone, sequence)
                await self.erase(tenant, voice_id)
                return head.key_id

    async def erase(self, tenant: str, voice_id: str) -> None:
        """Overwrites all entries of a profile on the disk; `*` for all profiles."""
        with bucket_errors():
            await erase_all(self._broker, STREAM, _subject(tenant, voice_id))

    async def all(self, tenant: str) -> list[Entry]:
        """The entries of a tenant's profiles; those that cannot be read are left out.

        Any server may give the entries, and its leader says which there are: nothing of a profile
        that was deleted is found, at whatever gateway.
        """
        heads = await self._heads(tenant)
        present = await self.ids(tenant)
        found = await asyncio.gather(
            *(
                self._readable(tenant, head, sequence)
                for voice_id, (head, sequence) in heads.items()
                if voice_id in present and head.key_id
            )
        )
        return [entry for entry in found if entry is not None]

    async def ids(self, tenant: str) -> set[str]:
        """The ids of a tenant's profiles."""
        with bucket_errors():
            pattern = _subject(tenant, "*")
            found = await matching_subjects(self._broker.client, STREAM, pattern)
        return {subjects.voice_of(subject)[1] for subject in found}

    async def heads(self) -> list[tuple[str, stored.StoredVoice]]:
        """The profiles of all tenants as they are stored, each with its tenant."""
        with bucket_errors():
            found = await stored_subjects(self._broker.client, STREAM)
        heads = []
        for tenant, voice_id in map(subjects.voice_of, sorted(found)):
            with _unless_corrupt(tenant, voice_id):
                head, sequence = await self._head(tenant, voice_id)
                if sequence:  # else it was deleted meanwhile
                    heads.append((tenant, head))
        return heads

    async def _heads(self, tenant: str) -> dict[str, tuple[stored.StoredVoice, int]]:
        """The last entries of a tenant's profiles with their places, by the profile's id."""
        heads: dict[str, tuple[stored.StoredVoice, int]] = {}
        start = 1
        while True:
            with bucket_errors():
                found = await stored_messages(
                    self._broker.client, STREAM, _subject(tenant, "*"), BATCH, start=start
                )
            for each in found:
                head = stored.StoredVoice()
                with _unless_corrupt(tenant, ""):
                    _parse("", each.data, head)
                    heads[head.voice_id] = head, each.sequence
            if len(found) < BATCH:
                return heads
            start = found[-1].sequence + 1

    async def _head(self, tenant: str, voice_id: str) -> tuple[stored.StoredVoice, int]:
        """An entry as it is stored, and its place; an empty one where there is none."""
        head = stored.StoredVoice()
        try:
            with bucket_errors():
                entry = await self._broker.voices.get(subjects.voice(tenant, voice_id))
        except KeyNotFoundError:
            return head, 0
        _parse(voice_id, entry.value or b"", head)
        return head, entry.revision or 0

    async def _readable(self, tenant: str, head: stored.StoredVoice, sequence: int) -> Entry | None:
        with _unless_corrupt(tenant, head.voice_id):
            return await self._opened(tenant, head, sequence)
        return None

    async def _opened(self, tenant: str, head: stored.StoredVoice, sequence: int) -> Entry | None:
        """An entry, opened; None where it was deleted since it was read."""
        profile = stored.VoiceProfile()
        try:
            data = await self._broker.opened(head.key_id, head.profile)
        except DecodeError as error:
            raise corrupt(head.voice_id) from error
        except StageError as error:
            if error.reason == Reason.DATA_KEY_GONE:
                return None
            raise
        _parse(head.voice_id, data, profile)
        return Entry(
            tenant=tenant,
            voice_id=head.voice_id,
            key_id=head.key_id,
            profile=profile,
            sequence=sequence,
        )

    async def _sealed(self, voice_id: str, key_id: str, profile: stored.VoiceProfile) -> bytes:
        data = await self._broker.sealed(key_id, profile.SerializeToString())
        return stored.StoredVoice(
            voice_id=voice_id, key_id=key_id, profile=data
        ).SerializeToString()

    async def _update(self, tenant: str, voice_id: str, data: bytes, last: int) -> int:
        try:
            with bucket_errors():
                key = subjects.voice(tenant, voice_id)
                return await self._broker.voices.update(key, data, last=last)
        except KeyWrongLastSequenceError as error:
            raise EntryChangedError from error


@contextmanager
def _unless_corrupt(tenant: str, voice_id: str) -> Iterator[None]:
    """Logs that a profile cannot be read, and goes on with the next one."""
    try:
        yield
    except StageError as error:
        if error.reason != Reason.VOICE_CORRUPT:
            raise
        log.error("voice.corrupt", tenant=tenant, voice=voice_id)


def _parse(voice_id: str, data: bytes, into: Message) -> None:
    try:
        into.ParseFromString(data)
    except DecodeError as error:
        raise corrupt(voice_id) from error


def _subject(tenant: str, voice_id: str) -> str:
    return subjects.bucket_subject(subjects.VOICES, subjects.voice(tenant, voice_id))
