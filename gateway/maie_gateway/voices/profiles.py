"""What a profile holds: how it is made, changed and shown."""

from __future__ import annotations

from datetime import UTC, datetime

from maie.voice.v1 import stored_pb2 as stored
from maie.voice.v1 import voice_pb2 as voice
from maie_core.caller import Caller
from maie_core.durations import duration, seconds
from maie_gateway.voices.embeddings import pack
from maie_gateway.voices.hearing import HeardVoice


def enrollment_of(
    caller: Caller, request: voice.EnrollVoiceRequest, heard: HeardVoice
) -> stored.StoredEnrollment:
    """A recording of a voice as it is stored."""
    shown = voice.Enrollment(
        job_id=request.job_id,
        speaker=request.speaker,
        segment_ids=dict.fromkeys(request.segment_ids),
        consent=request.consent,
        enrolled_by=caller.id,
        clean_duration=duration(heard.clean_seconds),
        engine=heard.engine,
    )
    shown.enroll_time.FromDatetime(datetime.now(UTC))
    return stored.StoredEnrollment(
        shown=shown, embedding=pack(heard.embedding), embedding_space=heard.space
    )


def is_same(one: stored.StoredEnrollment, other: stored.StoredEnrollment) -> bool:
    """Whether two enrolments are one that was asked for twice."""
    return _asked(one) == _asked(other)


def with_enrollment(
    before: stored.VoiceProfile, caller: Caller, made: stored.StoredEnrollment, name: str
) -> stored.VoiceProfile:
    """A profile with another recording, in place of an earlier one of the same speaker.

    Args:
        before: The profile; an empty one for a new one.
        caller: Who adds it.
        made: The recording.
        name: The name of the person; empty: as before.
    """
    profile = changed(before, caller, name=name)
    kept = [each for each in profile.enrollments if _speaker(each) != _speaker(made)]
    del profile.enrollments[:]
    profile.enrollments.extend([*kept, made])
    return profile


def changed(before: stored.VoiceProfile, caller: Caller, *, name: str) -> stored.VoiceProfile:
    """The next revision of a profile; the name stays where `name` is empty."""
    profile = stored.VoiceProfile()
    profile.CopyFrom(before)
    profile.revision += 1
    profile.updated_by = caller.id
    profile.display_name = name or before.display_name
    profile.update_time.FromDatetime(datetime.now(UTC))
    if not before.revision:
        profile.create_time.CopyFrom(profile.update_time)
    return profile


def described(voice_id: str, profile: stored.VoiceProfile) -> voice.Voice:
    """A profile as clients see it."""
    return voice.Voice(
        voice_id=voice_id,
        display_name=profile.display_name,
        revision=profile.revision,
        create_time=profile.create_time,
        update_time=profile.update_time,
        engines=_engines(profile),
    )


def _engines(profile: stored.VoiceProfile) -> list[voice.VoiceEngine]:
    """What heard the voice, by the spaces of its embeddings."""
    by_space: dict[str, list[voice.Enrollment]] = {}
    for each in profile.enrollments:
        by_space.setdefault(each.embedding_space, []).append(each.shown)
    return [
        voice.VoiceEngine(
            engine=found[-1].engine,
            clean_duration=duration(sum(seconds(each.clean_duration) for each in found)),
        )
        for found in by_space.values()
    ]


def _speaker(of: stored.StoredEnrollment) -> tuple[str, str]:
    return of.shown.job_id, of.shown.speaker


def _asked(of: stored.StoredEnrollment) -> tuple[object, ...]:
    shown = of.shown
    return (*_speaker(of), list(shown.segment_ids), shown.consent)
