"""The voices of people, to find them again in recordings."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime

from maie.voice.v1 import voice_pb2 as voice
from maie.voice.v1 import voice_pb2_grpc as voice_grpc
from maie_client.asking import Ask
from maie_client.text import sendable


def consent(statement: str, time: datetime) -> voice.Consent:
    """What a person agreed to.

    Args:
        statement: Who agreed to what, and where that is recorded.
        time: When; one without a time zone is in UTC.
    """
    made = voice.Consent(statement=sendable(statement))
    made.consent_time.FromDatetime(time)
    return made


class Voices:
    """Enrols voices and finds them in jobs; `Client.voices` has it.

    A voice is biometric data: docs/voices.md says what to consider. Every method raises
    ClientError, such as FAILED_PRECONDITION with VOICES_OFF for a tenant that may not.
    """

    def __init__(self, stub: Callable[[], voice_grpc.VoiceServiceStub], ask: Ask) -> None:
        self._stub = stub
        self._ask = ask

    async def enroll(
        self,
        job_id: str,
        speaker: str,
        display_name: str,
        agreed: voice.Consent,
        *,
        segment_ids: Iterable[str] = (),
        request_id: str = "",
    ) -> voice.Voice:
        """Makes a profile of the voice of a speaker of a job.

        Args:
            job_id: The job.
            speaker: The speaker, such as "S1".
            display_name: What people call the person.
            agreed: What the person agreed to; `consent` makes it.
            segment_ids: Segments to take the voice of; empty: all of the speaker's speech.
            request_id: Names the call, so that it can be repeated.
        """
        return await self._enroll(
            voice.EnrollVoiceRequest(
                job_id=sendable(job_id),
                speaker=sendable(speaker),
                display_name=sendable(display_name),
                consent=agreed,
                segment_ids=map(sendable, segment_ids),
                request_id=sendable(request_id),
            )
        )

    async def add(
        self,
        voice_id: str,
        job_id: str,
        speaker: str,
        agreed: voice.Consent,
        *,
        segment_ids: Iterable[str] = (),
    ) -> voice.Voice:
        """Adds a recording to a profile; see `enroll`."""
        return await self._enroll(
            voice.EnrollVoiceRequest(
                voice_id=sendable(voice_id),
                job_id=sendable(job_id),
                speaker=sendable(speaker),
                consent=agreed,
                segment_ids=map(sendable, segment_ids),
            )
        )

    async def list(self) -> voice.ListVoicesResponse:
        """Lists the profiles of the tenant, by name, and says how many it may have."""
        listed: voice.ListVoicesResponse = await self._ask(
            self._stub().ListVoices, voice.ListVoicesRequest()
        )
        return listed

    async def get(self, voice_id: str) -> voice.GetVoiceResponse:
        """Returns a profile with the recordings that it was made of."""
        request = voice.GetVoiceRequest(voice_id=sendable(voice_id))
        found: voice.GetVoiceResponse = await self._ask(self._stub().GetVoice, request)
        return found

    async def rename(self, voice_id: str, display_name: str, base_revision: int) -> voice.Voice:
        """Gives a profile another name.

        Args:
            voice_id: The profile.
            display_name: The name.
            base_revision: The revision that was changed, the newest one.

        Raises:
            ClientError: Also ABORTED with VOICE_OUTDATED: somebody changed it meanwhile.
        """
        request = voice.UpdateVoiceRequest(
            voice_id=sendable(voice_id),
            display_name=sendable(display_name),
            base_revision=base_revision,
        )
        answer: voice.UpdateVoiceResponse = await self._ask(self._stub().UpdateVoice, request)
        return answer.voice

    async def delete(self, voice_id: str) -> None:
        """Deletes a profile with all that is stored of the voice."""
        request = voice.DeleteVoiceRequest(voice_id=sendable(voice_id))
        await self._ask(self._stub().DeleteVoice, request)

    async def find(self, job_id: str) -> voice.FindVoicesResponse:
        """Compares the speakers of a job with all profiles; changes nothing."""
        request = voice.FindVoicesRequest(job_id=sendable(job_id))
        found: voice.FindVoicesResponse = await self._ask(self._stub().FindVoices, request)
        return found

    async def _enroll(self, request: voice.EnrollVoiceRequest) -> voice.Voice:
        answer: voice.EnrollVoiceResponse = await self._ask(self._stub().EnrollVoice, request)
        return answer.voice
