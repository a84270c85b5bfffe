"""Compares the speakers of a job with profiles of voices."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from maie.diarization.v1 import diarization_pb2 as diarization
from maie.voice.v1 import stored_pb2 as stored
from maie.voice.v1 import voice_pb2 as voice
from maie_core.durations import seconds
from maie_core.limits import MAX_VOICE_CANDIDATES, MIN_CLEAN_SPEECH_SECONDS
from maie_gateway.voices.embeddings import Embedding, mean, similarity, unpack
from maie_gateway.voices.entries import Entry


@dataclass(kw_only=True, frozen=True, slots=True)
class KnownVoice:
    """A profile in one space of embeddings.

    Attributes:
        voice_id: The profile's id.
        display_name: What people call the person.
        embedding: How the voice sounds.
    """

    voice_id: str
    display_name: str
    embedding: Embedding


def candidates(made: diarization.Diarization, entries: Iterable[Entry]) -> voice.FindVoicesResponse:
    """Who of the enrolled people may speak in a job. Blocks for up to half a second.

    Args:
        made: The speakers of the job, with their voices.
        entries: The profiles.
    """
    known = [found for entry in entries if (found := _known(entry, made.embedding_space))]
    heard = {each.speaker: each for each in made.voices}
    return voice.FindVoicesResponse(
        likely_score=made.same_person,
        speakers=[
            _of_speaker(heard.get(each.speaker), each.speaker, known, made.same_person)
            for each in made.speakers
            if not (each.channel or each.track)
        ],
    )


def in_space(profile: stored.VoiceProfile, space: str) -> Embedding | None:
    """How a profile sounds in a space: the mean of its recordings; None where it has none there."""
    return mean(
        (embedding, seconds(each.shown.clean_duration))
        for each in profile.enrollments
        if each.embedding_space == space and (embedding := unpack(each.embedding))
    )


def _known(entry: Entry, space: str) -> KnownVoice | None:
    embedding = in_space(entry.profile, space)
    if embedding is None:
        return None
    return KnownVoice(
        voice_id=entry.voice_id,
        display_name=entry.profile.display_name,
        embedding=embedding,
    )


def _of_speaker(
    heard: diarization.SpeakerVoice | None,
    speaker: str,
    known: Sequence[KnownVoice],
    likely: float,
) -> voice.SpeakerCandidates:
    found = voice.SpeakerCandidates(speaker=speaker)
    if heard is None:
        found.clean_duration.SetInParent()
        return found
    found.clean_duration.CopyFrom(heard.clean_duration)
    embedding = unpack(heard.embedding)
    if embedding is None or seconds(heard.clean_duration) < MIN_CLEAN_SPEECH_SECONDS:
        return found
    scores = ((max(0.0, similarity(embedding, each.embedding)), each) for each in known)
    best = heapq.nlargest(MAX_VOICE_CANDIDATES, scores, key=lambda pair: pair[0])
    for score, each in best:
        found.candidates.add(
            voice_id=each.voice_id,
            display_name=each.display_name,
            score=min(1.0, score),
            is_likely=0 < likely <= score,
        )
    return found
