"""The voices of people whom a tenant wants to find again in its recordings."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from http import HTTPStatus

from litestar.params import FromPath, JSONBody

from maie.voice.v1 import voice_pb2 as voice
from maie_client.voices import consent
from maie_core.errors import invalid
from maie_core.reasons import Reason
from maie_web.callers import CallersClient
from maie_web.handlers import delete, get, patch, post

TAGS = ["voices"]
MOST = 2**31 - 1


@dataclass(kw_only=True, frozen=True, slots=True)
class Agreement:
    """What the person agreed to.

    Attributes:
        statement: Who agreed to what, and where that is recorded; 1 to 1000 characters.
        consent_time: When they agreed; not in the future.
    """

    statement: str
    consent_time: datetime

    def message(self) -> voice.Consent:
        """The message of the contract.

        Raises:
            StageError: INVALID_ARGUMENT with FIELD_INVALID.
        """
        try:
            return consent(self.statement, self.consent_time)
        except (ValueError, OverflowError) as error:
            raise invalid(
                Reason.FIELD_INVALID,
                "consent_time is when the person agreed, such as 2026-11-30T09:00:00Z.",
                field="consent.consent_time",
            ) from error


@dataclass(kw_only=True, frozen=True, slots=True)
class Recording:
    """A recording to add to a profile.

    Attributes:
        job_id: The job that the voice is in.
        speaker: The speaker of the job, such as S1.
        consent: What the person agreed to.
        segment_ids: Segments of the speaker to take the voice of, up to 100; all of the speaker's
            speech where empty.
    """

    job_id: str
    speaker: str
    consent: Agreement
    segment_ids: list[str] = field(default_factory=list)


@dataclass(kw_only=True, frozen=True, slots=True)
class NewVoice:
    """A voice to enrol.

    Attributes:
        job_id: The job that the voice is in.
        speaker: The speaker of the job, such as S1.
        display_name: What people call the person; 1 to 100 characters on one line.
        consent: What the person agreed to.
        segment_ids: Segments of the speaker to take the voice of, up to 100; all of the speaker's
            speech where empty.
        request_id: Names the call, so that it can be repeated; up to 128 characters.
    """

    job_id: str
    speaker: str
    display_name: str
    consent: Agreement
    segment_ids: list[str] = field(default_factory=list)
    request_id: str = ""


@dataclass(kw_only=True, frozen=True, slots=True)
class NewName:
    """Another name of a profile.

    Attributes:
        display_name: The name; 1 to 100 characters on one line.
        base_revision: The revision that was changed; the newest one.
    """

    display_name: str
    base_revision: int


@post("/v1/voices", summary="Enrol a voice", tags=TAGS)
async def enroll(client: CallersClient, data: JSONBody[NewVoice]) -> voice.Voice:
    """Makes a profile of the voice of a speaker of a job, with the consent of the person.

    422 where the tenant may not, where the speakers of the job are not told apart by their voices,
    or where less than 3 s are heard of this one alone; `reason` of the error says which.
    """
    return await client.voices.enroll(
        data.job_id,
        data.speaker,
        data.display_name,
        data.consent.message(),
        segment_ids=data.segment_ids,
        request_id=data.request_id,
    )


@get("/v1/voices", summary="List voices", tags=TAGS)
async def listed(client: CallersClient) -> voice.ListVoicesResponse:
    """The profiles of the tenant, by name, without the recordings that they were made of."""
    return await client.voices.list()


@get("/v1/voices/{voice_id:str}", summary="Get a voice", tags=TAGS)
async def one(client: CallersClient, voice_id: FromPath[str]) -> voice.GetVoiceResponse:
    """A profile with the recordings that it was made of, and the consent to each."""
    return await client.voices.get(voice_id)


@post(
    "/v1/voices/{voice_id:str}/recordings",
    summary="Add a recording to a voice",
    tags=TAGS,
    status_code=HTTPStatus.OK,
)
async def add(
    client: CallersClient, voice_id: FromPath[str], data: JSONBody[Recording]
) -> voice.Voice:
    """Adds a recording to a profile, in place of an earlier one of the same speaker of the job."""
    return await client.voices.add(
        voice_id,
        data.job_id,
        data.speaker,
        data.consent.message(),
        segment_ids=data.segment_ids,
    )


@patch("/v1/voices/{voice_id:str}", summary="Rename a voice", tags=TAGS)
async def rename(
    client: CallersClient, voice_id: FromPath[str], data: JSONBody[NewName]
) -> voice.Voice:
    """Gives a profile another name; 409 where somebody changed it meanwhile."""
    if not 0 < data.base_revision <= MOST:
        raise invalid(
            Reason.FIELD_INVALID,
            "base_revision is the revision of the profile, from 1.",
            field="base_revision",
        )
    return await client.voices.rename(voice_id, data.display_name, data.base_revision)


@delete("/v1/voices/{voice_id:str}", summary="Delete a voice", tags=TAGS)
async def remove(client: CallersClient, voice_id: FromPath[str]) -> None:
    """Deletes a profile with all that is stored of the voice; names of speakers in jobs stay."""
    await client.voices.delete(voice_id)


@get("/v1/jobs/{job_id:str}/voices", summary="Find voices in a job", tags=TAGS)
async def in_job(client: CallersClient, job_id: FromPath[str]) -> voice.FindVoicesResponse:
    """Who of the enrolled people each speaker of a job may be, the best first.

    It changes nothing: a person decides, and `PATCH /v1/jobs/{job_id}` writes `speaker_names`.
    """
    return await client.voices.find(job_id)
