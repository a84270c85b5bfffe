"""Audio is divided into messages as its format allows."""

from __future__ import annotations

import pytest

from maie.live.v1 import live_pb2 as live
from maie_client.live.audio import STREAM_BYTES, divided

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    "encoding",
    [live.AUDIO_ENCODING_OGG_OPUS, live.AUDIO_ENCODING_WEBM_OPUS, live.AUDIO_ENCODING_FLAC],
)
def test_streams_are_cut_anywhere(encoding: live.AudioEncoding) -> None:
    audio = bytes(range(256)) * 40
    cut = list(divided(audio, live.AudioFormat(encoding=encoding)))
    assert b"".join(cut) == audio
    assert max(map(len, cut)) == STREAM_BYTES
    assert not list(divided(b"", live.AudioFormat(encoding=encoding)))


def test_a_packet_is_one_message() -> None:
    packet = bytes(9000)
    assert list(divided(packet, live.AudioFormat(encoding=live.AUDIO_ENCODING_OPUS))) == [packet]
