"""How profiles are compared with the speakers of a job."""

from __future__ import annotations

import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maie.diarization.v1 import diarization_pb2 as diarization
from maie.voice.v1 import stored_pb2 as stored
from maie.voice.v1 import voice_pb2 as voice
from maie_core.durations import duration
from maie_core.limits import MAX_VOICE_CANDIDATES
from maie_gateway.voices.embeddings import mean, pack, similarity, unpack
from maie_gateway.voices.entries import Entry
from maie_gateway.voices.finding import candidates, in_space

pytestmark = pytest.mark.unit

SPACE = "engine:0"
LIKELY = 0.6
VECTORS = st.lists(st.floats(-1, 1, width=32), min_size=4, max_size=4).filter(
    lambda values: math.hypot(*values) > 1e-3
)


def towards(degrees: float) -> bytes:
    """An embedding in a plane, at an angle to the axis."""
    angle = math.radians(degrees)
    return pack((math.cos(angle), math.sin(angle)))


def entry(name: str, *heard: tuple[bytes, float, str]) -> Entry:
    """A profile of recordings: how each sounds, its seconds and its space."""
    profile = stored.VoiceProfile(display_name=name)
    for embedding, clean, space in heard:
        profile.enrollments.add(
            shown=voice.Enrollment(clean_duration=duration(clean)),
            embedding=embedding,
            embedding_space=space,
        )
    return Entry(tenant="t", voice_id=name, key_id="k", profile=profile, sequence=1)


def job(*heard: tuple[bytes, float], likely: float = LIKELY) -> diarization.Diarization:
    """A job whose speakers sound so, with so many seconds of each."""
    made = diarization.Diarization(embedding_space=SPACE, same_person=likely)
    for number, (embedding, clean) in enumerate(heard, start=1):
        made.speakers.add(speaker=f"S{number}")
        made.voices.add(speaker=f"S{number}", embedding=embedding, clean_duration=duration(clean))
    return made


def test_the_score_is_the_cosine_and_the_best_is_first() -> None:
    profiles = [entry(f"{angle}", (towards(angle), 5, SPACE)) for angle in (80, 20, 120, 50)]
    (speaker,) = candidates(job((towards(0), 5)), profiles).speakers
    assert [each.voice_id for each in speaker.candidates] == ["20", "50", "80", "120"]
    scores = [each.score for each in speaker.candidates]
    wanted = [*(math.cos(math.radians(angle)) for angle in (20, 50, 80)), 0]
    assert scores == pytest.approx(wanted, abs=1e-5)
    assert [each.is_likely for each in speaker.candidates] == [True, True, False, False]


def test_there_are_so_many_candidates_of_one_space() -> None:
    profiles = [entry(f"{angle}", (towards(angle), 5, SPACE)) for angle in range(20)]
    profiles.append(entry("other engine", (towards(0), 5, "other:0")))
    (speaker,) = candidates(job((towards(0), 5)), profiles).speakers
    assert [each.voice_id for each in speaker.candidates] == ["0", "1", "2", "3", "4"]
    assert len(speaker.candidates) == MAX_VOICE_CANDIDATES


def test_nobody_is_likely_where_the_engine_knows_no_threshold() -> None:
    profiles = [entry("anna", (towards(0), 5, SPACE))]
    found = candidates(job((towards(0), 5), likely=0), profiles)
    assert [each.is_likely for each in found.speakers[0].candidates] == [False]


def test_a_speaker_with_little_speech_or_a_channel_has_no_candidates() -> None:
    made = job((towards(0), 2.9), (towards(0), 5))
    made.speakers.add(speaker="S3", channel=1)
    made.speakers.add(speaker="S4")
    found = candidates(made, [entry("anna", (towards(0), 5, SPACE))])
    assert [(each.speaker, len(each.candidates)) for each in found.speakers] == [
        ("S1", 0),
        ("S2", 1),
        ("S4", 0),
    ]


def test_recordings_of_a_profile_count_by_their_speech() -> None:
    profile = entry("anna", (towards(0), 9, SPACE), (towards(90), 1, SPACE)).profile
    found = in_space(profile, SPACE)
    assert found is not None
    assert math.degrees(math.atan2(found[1], found[0])) == pytest.approx(
        math.degrees(math.atan2(1, 9)), abs=1e-4
    )
    assert in_space(profile, "other:0") is None


@given(VECTORS, VECTORS)
def test_similarity_is_the_scalar_product(one: list[float], other: list[float]) -> None:
    some, others = (unpack(pack(tuple(each))) for each in (one, other))
    assert some is not None
    assert others is not None
    product = sum(a * b for a, b in zip(some, others, strict=True))
    assert similarity(some, others) == pytest.approx(product, abs=1e-6)


@pytest.mark.parametrize("data", [b"", b"\0" * 8, b"\1\2", b"\xff" * 8])
def test_what_is_no_direction_is_no_embedding(data: bytes) -> None:
    assert unpack(data) is None


def test_a_mean_of_opposites_is_none() -> None:
    assert mean([((1.0, 0.0), 1.0), ((-1.0, 0.0), 1.0)]) is None
    assert mean([]) is None


def test_the_likely_one_is_found_among_a_thousand() -> None:
    chance = random.Random(1)
    people = [pack(tuple(chance.gauss(0, 1) for _ in range(192))) for _ in range(1000)]
    profiles = [entry(f"{n}", (each, 5, SPACE)) for n, each in enumerate(people)]
    (speaker,) = candidates(job((people[7], 5)), profiles).speakers
    assert [each.voice_id for each in speaker.candidates if each.is_likely] == ["7"]
