"""The formats of live audio."""

from __future__ import annotations

from collections.abc import Mapping

from maie.live.v1 import live_pb2 as live
from maie.preprocess.v1 import preprocess_pb2 as preprocess
from maie_core.errors import invalid
from maie_core.reasons import Reason
from maie_web.deepgram.options import StreamOptions

_ENCODINGS: Mapping[str, live.AudioEncoding] = {
    "linear16": live.AUDIO_ENCODING_LINEAR16,
    "mulaw": live.AUDIO_ENCODING_MULAW,
    "alaw": live.AUDIO_ENCODING_ALAW,
    "opus": live.AUDIO_ENCODING_OPUS,
    "ogg-opus": live.AUDIO_ENCODING_OGG_OPUS,
    "flac": live.AUDIO_ENCODING_FLAC,
}
# How the containers begin that are read without `encoding`.
_BEGINNINGS: Mapping[bytes, live.AudioEncoding] = {
    b"\x1a\x45\xdf\xa3": live.AUDIO_ENCODING_WEBM_OPUS,
    b"OggS": live.AUDIO_ENCODING_OGG_OPUS,
    b"fLaC": live.AUDIO_ENCODING_FLAC,
}
_RATES: Mapping[str, int] = {"linear16": 16_000, "mulaw": 8_000, "alaw": 8_000}


def named_format(asked: StreamOptions) -> live.AudioFormat | None:
    """The format that an address names; None where the audio says it itself."""
    if asked.encoding is None:
        return None
    rate = asked.sample_rate or _RATES.get(asked.encoding, 0)
    return _format(asked, _ENCODINGS[asked.encoding], rate if asked.encoding in _RATES else 0)


def found_format(asked: StreamOptions, audio: bytes) -> live.AudioFormat:
    """The format of a stream by its first bytes.

    Raises:
        StageError: INVALID_ARGUMENT with AUDIO_FORMAT_INVALID.
    """
    encoding = _BEGINNINGS.get(audio[:4])
    if encoding is None:
        raise invalid(
            Reason.AUDIO_FORMAT_INVALID,
            "The audio is neither WebM nor Ogg with Opus, nor FLAC; name `encoding` and "
            "`sample_rate`.",
        )
    return _format(asked, encoding, 0)


def _format(asked: StreamOptions, encoding: live.AudioEncoding, rate: int) -> live.AudioFormat:
    split, mix = preprocess.CHANNEL_MODE_SPLIT, preprocess.CHANNEL_MODE_MIX
    # Opus and FLAC say themselves how many channels they have, unless those are split.
    counts = asked.channels if rate or asked.multichannel else 0
    return live.AudioFormat(
        encoding=encoding,
        sample_rate_hertz=rate,
        channels=counts,
        channel_mode=split if asked.multichannel else mix,
    )
