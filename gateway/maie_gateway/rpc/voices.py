"""VoiceService: the voices of people whom a tenant wants to find again."""

from __future__ import annotations

from typing import Any

from maie.voice.v1 import voice_pb2 as voice
from maie.voice.v1 import voice_pb2_grpc
from maie_core.caller import current_caller
from maie_gateway.audit.about import is_about
from maie_gateway.rpc.job_ids import checked_job_id
from maie_gateway.voices.checks import check_enrollment, check_name, check_voice_id
from maie_gateway.voices.profiles import described
from maie_gateway.voices.voices import Profile, Voices


class VoiceService(voice_pb2_grpc.VoiceServiceServicer):
    """Serves maie.voice.v1.VoiceService; callers see their tenant's profiles and jobs only."""

    def __init__(self, voices: Voices) -> None:
        self._voices = voices

    async def EnrollVoice(
        self, request: voice.EnrollVoiceRequest, context: Any
    ) -> voice.EnrollVoiceResponse:
        """Makes a profile of a speaker's voice, or adds a recording to one."""
        checked_job_id(request.job_id)
        check_enrollment(request)
        is_about(voice_id=request.voice_id)
        found = await self._voices.enroll(current_caller(), request)
        is_about(voice_id=found.voice_id)
        return voice.EnrollVoiceResponse(voice=_described(found))

    async def ListVoices(
        self, request: voice.ListVoicesRequest, context: Any
    ) -> voice.ListVoicesResponse:
        """Lists the profiles, by name."""
        tenant = current_caller().tenant
        found = await self._voices.listed(tenant)
        return voice.ListVoicesResponse(
            voices=map(_described, found), most_voices=self._voices.most(tenant)
        )

    async def GetVoice(
        self, request: voice.GetVoiceRequest, context: Any
    ) -> voice.GetVoiceResponse:
        """Gets a profile with what it was made of."""
        found = await self._voices.get(current_caller().tenant, _checked(request.voice_id))
        return voice.GetVoiceResponse(
            voice=_described(found),
            enrollments=[each.shown for each in found.content.enrollments],
        )

    async def UpdateVoice(
        self, request: voice.UpdateVoiceRequest, context: Any
    ) -> voice.UpdateVoiceResponse:
        """Gives a profile another name."""
        voice_id = _checked(request.voice_id)
        check_name(request.display_name)
        found = await self._voices.rename(
            current_caller(), voice_id, request.display_name, request.base_revision
        )
        return voice.UpdateVoiceResponse(voice=_described(found))

    async def DeleteVoice(
        self, request: voice.DeleteVoiceRequest, context: Any
    ) -> voice.DeleteVoiceResponse:
        """Deletes a profile with all that is stored of the voice."""
        await self._voices.delete(current_caller().tenant, _checked(request.voice_id))
        return voice.DeleteVoiceResponse()

    async def FindVoices(
        self, request: voice.FindVoicesRequest, context: Any
    ) -> voice.FindVoicesResponse:
        """Compares the speakers of a job with all profiles."""
        job_id = checked_job_id(request.job_id)
        return await self._voices.find(current_caller().tenant, job_id)


def _checked(voice_id: str) -> str:
    """The id of a profile as it is, noted as what the call is about."""
    check_voice_id(voice_id)
    is_about(voice_id=voice_id)
    return voice_id


def _described(found: Profile) -> voice.Voice:
    return described(found.voice_id, found.content)
