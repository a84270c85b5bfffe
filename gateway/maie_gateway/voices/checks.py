"""Checks what callers send about voices."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from maie.voice.v1 import voice_pb2 as voice
from maie_core.errors import invalid
from maie_core.limits import (
    MAX_CONSENT_CHARACTERS,
    MAX_REQUEST_ID_CHARACTERS,
    MAX_VOICE_NAME_CHARACTERS,
    MAX_VOICE_SEGMENTS,
)
from maie_core.names import check_text, is_harmless, is_uuid
from maie_core.reasons import Reason
from maie_core.speakers import is_speaker
from maie_gateway.voices.refusals import not_found, wrong

# A caller's clock may be ahead by this.
_CLOCKS_DIFFER = timedelta(minutes=5)


def check_voice_id(voice_id: str) -> None:
    """Refuses what no profile is called.

    Raises:
        StageError: NOT_FOUND with VOICE_NOT_FOUND.
    """
    if not is_uuid(voice_id):
        raise not_found(voice_id)


def check_name(name: str) -> None:
    """Refuses a name of a person that nobody could read.

    Raises:
        StageError: INVALID_ARGUMENT with FIELD_INVALID.
    """
    if not (name.strip() and len(name) <= MAX_VOICE_NAME_CHARACTERS and is_harmless(name)):
        raise wrong(
            "display_name",
            f"The name of a person is 1 to {MAX_VOICE_NAME_CHARACTERS} characters on one line, "
            "without direction marks; correct it.",
        )


def check_enrollment(request: voice.EnrollVoiceRequest) -> None:
    """Refuses an enrolment that says too little or too much.

    Raises:
        StageError: INVALID_ARGUMENT with CONSENT_MISSING or FIELD_INVALID; NOT_FOUND with
            VOICE_NOT_FOUND.
    """
    _check_consent(request.consent)
    if not is_speaker(request.speaker):
        raise wrong("speaker", "A speaker is S1, S2 and so on, as the job names them; name one.")
    if len(request.segment_ids) > MAX_VOICE_SEGMENTS:
        raise wrong("segment_ids", f"Name at most {MAX_VOICE_SEGMENTS} segments of the speaker.")
    if request.voice_id:
        check_voice_id(request.voice_id)
        if request.request_id:
            raise wrong(
                "request_id",
                "A request id is for a new voice; a recording is added to one once, however often "
                "it is sent. Leave it empty.",
            )
    if request.display_name or not request.voice_id:
        check_name(request.display_name)
    if len(request.request_id) > MAX_REQUEST_ID_CHARACTERS:
        raise wrong(
            "request_id", f"A request id has at most {MAX_REQUEST_ID_CHARACTERS} characters."
        )


def _check_consent(consent: voice.Consent) -> None:
    if not consent.statement.strip() or not consent.HasField("consent_time"):
        raise invalid(
            Reason.CONSENT_MISSING,
            "A voice is enrolled with the consent of the person only; send who agreed to what as "
            "`statement`, and when as `consent_time`.",
            field="consent",
        )
    if len(consent.statement) > MAX_CONSENT_CHARACTERS:
        raise wrong(
            "consent.statement", f"A consent has at most {MAX_CONSENT_CHARACTERS} characters."
        )
    check_text(consent.statement, field="consent.statement")
    try:
        given = consent.consent_time.ToDatetime(UTC)
    except (ValueError, OverflowError) as error:
        raise wrong("consent.consent_time", "The time of the consent is no time.") from error
    if given > datetime.now(UTC) + _CLOCKS_DIFFER:
        raise wrong("consent.consent_time", "The person has agreed already, and not in the future.")
