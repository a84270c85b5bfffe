"""What is read is known by its content, and what is not read is named."""

from __future__ import annotations

import pytest

from maie_preprocess.normalize import RefusedError
from tests.preprocess import recordings
from tests.preprocess.decoded import decoded
from tests.preprocess.test_containers import KINDS

pytestmark = pytest.mark.unit

# A frame of AMR for a moment in which nobody speaks.
NO_DATA = b"\x7c"


@pytest.mark.parametrize(
    ("head", "kind"),
    [
        (b"RIFF\x00\x00\x00\x00AVI LIST", "an AVI video"),
        (b"FLV\x01\x05\x00\x00\x00\x09", "a Flash video"),
        (b"\x00\x00\x01\xba\x44\x00", "an MPEG programme stream"),
        (b".snd\x00\x00\x00\x18", "an AU recording"),
        (b"wvpk\x00\x00", "a WavPack recording"),
        (b"MThd\x00\x00\x00\x06", "a MIDI file"),
    ],
)
def test_a_recording_of_a_kind_that_is_not_read_is_named(head: bytes, kind: str) -> None:
    with pytest.raises(RefusedError, match=kind) as caught:
        decoded(head + bytes(4000))
    assert caught.value.reason == "UNSUPPORTED_FORMAT"


def test_pauses_in_amr_are_no_damage() -> None:
    content = recordings.encode(recordings.speech(5), **KINDS["amr"])
    magic, frame_bytes = 6, 13
    half = magic + 100 * frame_bytes
    done = decoded(content[:half] + 50 * NO_DATA + content[half:])
    assert done.packets == 301
    assert not done.damaged_packets
    assert not done.warnings


@pytest.mark.parametrize("kind", ["caf", "aiff", "amr", "wma"])
def test_a_damaged_header_is_a_damaged_recording(kind: str) -> None:
    content = recordings.encode(recordings.speech(5), **KINDS[kind])
    with pytest.raises(RefusedError) as caught:
        decoded(content[:12] + bytes(2000))
    assert caught.value.reason == "AUDIO_CORRUPT"
