"""Live audio is what a decoder of whole files makes of it, however its bytes are cut."""

from __future__ import annotations

import contextlib
import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from maie_audio.formats import MAX_STATE_BYTES, Encoding, Format, Limits, Part, RefusedError
from maie_audio.track import TrackDecoder
from maie_core.reasons import Reason
from tests.audio.streams import (
    CONTAINERS,
    RATE,
    SECONDS,
    apart,
    call,
    joined,
    likeness,
    packets,
    packets_of,
    sides,
    speech,
    stream,
    whole,
)

pytestmark = pytest.mark.unit

encodings = pytest.mark.parametrize("encoding", list(CONTAINERS))
# A frame of FLAC has 4096 samples at 44.1 kHz; a packet of Opus 20 ms.
FRAME = RATE * 4096 // 44_100
RESAMPLED = 17


def cut(data: bytes, places: list[float]) -> list[bytes]:
    ends = [0, *sorted(int(place * len(data)) for place in places), len(data)]
    return [data[begin:end] for begin, end in itertools.pairwise(ends)]


def decoder(encoding: Encoding, state: bytes = b"", **limits: float) -> TrackDecoder:
    return TrackDecoder(Format(encoding=encoding), Limits(**limits), state)  # type: ignore[arg-type]


def decode(decoder: TrackDecoder, messages: list[bytes]) -> list[Part]:
    return [part for message in messages for part in decoder.decode(message)]


places = st.lists(st.floats(0, 1), max_size=60)


@encodings
@pytest.mark.parametrize("channels", [1, 2])
@given(places=places)
def test_bytes_may_be_cut_anywhere(encoding, channels, places):
    sound = joined(decode(decoder(encoding), cut(stream(encoding, channels), places)))
    assert abs(len(sound) - len(whole(encoding, channels))) <= FRAME
    assert likeness(sound, whole(encoding, channels)) > 0.999


@encodings
@given(places=places, resumed=st.integers(0))
def test_another_decoder_continues_after_any_message(encoding, places, resumed):
    messages = cut(stream(encoding), places)
    first = decoder(encoding)
    resumed %= len(messages)
    sound = decode(first, messages[:resumed])
    state = first.state() if resumed else b""
    assert len(state) <= MAX_STATE_BYTES
    sound += decode(decoder(encoding, state), messages[resumed:])
    # The codec finds its way within some packets, and the resampler keeps a millisecond.
    assert abs(len(joined(sound)) - len(whole(encoding))) <= FRAME
    assert likeness(joined(sound), whole(encoding)) > 0.98


@pytest.mark.parametrize(
    ("encoding", "channels"), [("ogg_opus", 2), ("webm_opus", 2), ("flac", 2), ("flac", 8)]
)
@given(places=places, resumed=st.integers(0))
@settings(max_examples=20)
def test_channels_are_kept_apart_by_whichever_decoder(encoding, channels, places, resumed):
    messages = cut(call(encoding, channels), places)
    stated = Format(encoding=encoding, channels=channels, split=True)
    first = TrackDecoder(stated, Limits())
    resumed %= len(messages)
    parts = decode(first, messages[:resumed])
    state = first.state() if resumed else b""
    parts += decode(TrackDecoder(stated, Limits(), state), messages[resumed:])
    heard, said = apart(parts, channels), sides(RATE, channels)
    # The encoder of Opus adds 6.5 ms, which its containers take off.
    assert abs(heard.shape[1] - said.shape[1]) <= FRAME
    for number, side in enumerate(said):
        alike = [likeness(each, side) for each in heard]
        assert alike[number] == max(alike) > 0.95
        assert sum(each > 0.5 for each in alike) == 1


def test_packets_of_opus_may_have_two_sides():
    stated = Format(encoding="opus", channels=2, split=True)
    parts = decode(TrackDecoder(stated, Limits()), list(packets_of(sides(48_000))))
    heard, said = apart(parts, 2), sides(RATE)
    for number in range(2):
        assert likeness(heard[number][104:], said[number]) > 0.95
        assert likeness(heard[number][104:], said[1 - number]) < 0.5


@encodings
def test_sound_comes_with_the_message_that_completes_it(encoding):
    data, one = stream(encoding), decoder(encoding)
    size, longest = len(data) // 60, RATE
    got = 0
    for begin in range(0, len(data), size):
        got += len(joined(one.decode(data[begin : begin + size])))
        # A page of Ogg holds a second here; the bit rate varies.
        assert got > begin / len(data) * SECONDS * RATE - 2 * longest


def test_the_last_frame_of_flac_does_not_wait_for_the_next():
    sound = joined(decoder("flac").decode(stream("flac")))
    assert SECONDS * RATE - len(sound) <= RESAMPLED


def test_packets_of_opus_come_one_in_each_message():
    one = decoder("opus")
    sizes = [len(joined(one.decode(packet))) for packet in packets()]
    assert set(sizes[1:]) == {320}
    again = joined(decode(decoder("opus"), packets()))
    # The encoder's delay of 6.5 ms.
    assert likeness(again[104:], speech()[0]) > 0.95


def test_a_packet_of_discontinued_transmission_is_its_length_of_sound():
    one = decoder("opus")
    one.decode(packets()[0])
    assert len(joined(one.decode(packets()[1][:1]))) == 320


@encodings
def test_lost_packets_become_silence(encoding):
    data = stream(encoding, without=(2.0, 3.5))
    parts = decode(decoder(encoding), cut(data, [place / 40 for place in range(40)]))
    gaps = [part for part in parts if isinstance(part, int)]
    assert len(gaps) == 1
    assert gaps[0] == pytest.approx(1.5 * RATE, abs=FRAME)
    sound = joined(parts)
    assert abs(len(sound) - len(whole(encoding))) <= FRAME
    # A page of Ogg that holds sound from before and after the gap begins late; the times of
    # WebM are rounded to 1 ms.
    begin, size = int(4.6 * RATE), RATE
    there = whole(encoding)[begin : begin + size]
    shifts = range(-16, 17)
    assert max(likeness(sound[begin + by :][:size], there) for by in shifts) > 0.98


@encodings
def test_a_gap_between_two_decoders_becomes_silence_as_well(encoding):
    data = stream(encoding, without=(2.0, 3.5))
    parts: list[Part] = []
    state = b""
    for message in cut(data, [place / 200 for place in range(200)]):
        one = decoder(encoding, state)
        parts += one.decode(message)
        state = one.state()
    assert len([part for part in parts if isinstance(part, int)]) == 1
    assert abs(len(joined(parts)) - len(whole(encoding))) <= FRAME


@encodings
def test_silence_that_the_sender_states_is_not_counted_twice(encoding):
    data = stream(encoding, without=(2.0, 3.5))
    one = decoder(encoding)
    parts: list[Part] = []
    # No message holds sound from before and after the gap.
    for message in cut(data, [place / 600 for place in range(600)]):
        parts += one.silence()
        parts += one.decode(message)
    assert not [part for part in parts if isinstance(part, int)]
    assert abs(len(joined(parts)) - (len(whole(encoding)) - 1.5 * RATE)) <= FRAME


def test_of_several_tracks_the_first_is_taken():
    sound = joined(decoder("webm_opus").decode(stream("webm_opus", tracks=2)))
    assert likeness(sound, whole("webm_opus")) > 0.999


@pytest.mark.parametrize("encoding", ["ogg_opus", "webm_opus"])
def test_a_recorder_may_begin_again(encoding):
    data = stream(encoding)
    one = decoder(encoding)
    first = joined(one.decode(data))
    second = joined([*one.silence(), *one.decode(data)])
    assert likeness(second[len(second) - len(first) :], whole(encoding)) > 0.999


@encodings
def test_more_sound_than_a_message_may_hold_is_refused(encoding):
    with pytest.raises(RefusedError, match="more than 5 s of sound") as refused:
        decoder(encoding, sound_seconds=5.0).decode(stream(encoding))
    assert refused.value.reason == Reason.AUDIO_PART_INVALID


@encodings
def test_a_clock_that_jumps_too_far_is_refused(encoding):
    with pytest.raises(RefusedError, match="jumps by more than 1 s") as refused:
        decoder(encoding, silence_seconds=1.0).decode(stream(encoding, without=(2.0, 3.5)))
    assert refused.value.reason == Reason.AUDIO_PART_INVALID


@encodings
@pytest.mark.parametrize("other", ["ogg_opus", "webm_opus", "flac", "wav"])
def test_another_encoding_is_refused(encoding, other):
    if encoding == other:
        return
    data = b"RIFF\x00\x00\x01\x00WAVEfmt " if other == "wav" else stream(other)
    with pytest.raises(RefusedError) as refused:
        decoder(encoding).decode(data)
    assert refused.value.reason == Reason.AUDIO_FORMAT_INVALID


@encodings
@pytest.mark.parametrize("lie", [{"sample_rate": 22_050}, {"channels": 2}])
def test_a_stated_rate_or_number_of_channels_must_be_true(encoding, lie):
    with pytest.raises(RefusedError) as refused:
        TrackDecoder(Format(encoding=encoding, **lie), Limits()).decode(stream(encoding))
    assert refused.value.reason == Reason.AUDIO_FORMAT_INVALID


@pytest.mark.parametrize("rate", [8_000, 16_000, 48_000])
def test_opus_may_be_stated_with_any_rate_that_an_encoder_takes(rate):
    stated = Format(encoding="webm_opus", sample_rate=rate, channels=1)
    assert TrackDecoder(stated, Limits()).decode(stream("webm_opus"))


@pytest.mark.parametrize("encoding", ["opus", *CONTAINERS])
@given(garbage=st.binary(max_size=2000))
def test_garbage_is_refused_or_waits(encoding, garbage):
    one = decoder(encoding)
    with contextlib.suppress(RefusedError):
        one.decode(garbage)
    assert len(one.state()) <= MAX_STATE_BYTES


@encodings
@given(place=st.floats(0, 1), garbage=st.binary(min_size=1, max_size=400), places=places)
def test_damage_in_the_middle_is_refused_or_decoded(encoding, place, garbage, places):
    data = bytearray(stream(encoding))
    begin = int(place * len(data))
    data[begin : begin + len(garbage)] = garbage
    one = decoder(encoding, silence_seconds=1e12)
    with contextlib.suppress(RefusedError):
        for message in cut(bytes(data), places):
            one.decode(message)
            assert len(one.state()) <= MAX_STATE_BYTES


LONG = b"\xff" * 5000
INFO, TRACKS, CLUSTER = b"\x15\x49\xa9\x66", b"\x16\x54\xae\x6b", b"\x1f\x43\xb6\x75"
TIME_SCALE, CLUSTER_TIME, TRACK, TRACK_NUMBER = b"\x2a\xd7\xb1", b"\xe7", b"\xae", b"\xd7"
CODEC = b"\x86\x86A_OPUS"


def element(ident: bytes, content: bytes) -> bytes:
    """An element of WebM."""
    return ident + (1 << 28 | len(content)).to_bytes(4, "big") + content


@pytest.mark.parametrize(
    "part",
    [
        element(INFO, element(TIME_SCALE, LONG)),
        element(CLUSTER, element(CLUSTER_TIME, LONG)),
        element(TRACKS, element(TRACK, CODEC + element(TRACK_NUMBER, LONG))),
    ],
    ids=["scale", "time", "track"],
)
def test_webm_with_numbers_of_thousands_of_digits_is_refused(part: bytes) -> None:
    segment = b"\x1a\x45\xdf\xa3\x80" + b"\x18\x53\x80\x67\x01" + b"\xff" * 7
    with pytest.raises(RefusedError, match="too long"):
        TrackDecoder(Format(encoding="webm_opus"), Limits()).decode(segment + part)
