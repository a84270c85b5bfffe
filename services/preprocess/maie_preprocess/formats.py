"""The supported containers and codecs, and how to recognise them."""

from __future__ import annotations

from typing import Final

# FFmpeg's demuxers, by name. None of them opens a second file or a network
# address: no playlists, no concat scripts, no SDP, no image sequences.
DEMUXERS: Final = (
    "wav", "w64", "mp3", "aac", "mov", "flac", "ogg", "matroska",
    "aiff", "amr", "asf", "caf", "mpegts",
)  # fmt: skip

# Codecs, by FFmpeg's canonical name; every variant of PCM is supported as well.
CODECS: Final = frozenset({
    "aac", "aac_latm", "ac3", "adpcm_ima_qt", "adpcm_ima_wav", "adpcm_ms", "alac", "amr_nb",
    "amr_wb", "eac3", "flac", "gsm_ms", "mp1", "mp2", "mp3", "opus", "pcm", "vorbis", "wmapro",
    "wmav1", "wmav2", "wmavoice",
})  # fmt: skip

# The decoders that FFmpeg may open while it probes a file; no video decoder is among them.
_DECODERS: Final = (
    "aac", "aac_latm", "ac3", "adpcm_ima_qt", "adpcm_ima_wav", "adpcm_ms", "alac", "amrnb",
    "amrwb", "eac3", "flac", "gsm_ms", "mp1float", "mp2float", "mp3float", "mp3", "opus",
    "libopus", "vorbis", "libvorbis", "pcm_alaw", "pcm_mulaw", "pcm_u8", "pcm_s8", "pcm_s16le",
    "pcm_s16be", "pcm_s24le", "pcm_s24be", "pcm_s32le", "pcm_s32be", "pcm_f32le", "pcm_f32be",
    "pcm_f64le", "pcm_f64be", "wmapro", "wmav1", "wmav2", "wmavoice",
)  # fmt: skip

# Decoders that replace FFmpeg's own, which does not support pauses in AMR.
BETTER_DECODERS: Final = {"amr_nb": "libopencore_amrnb", "amr_wb": "libopencore_amrwb"}

# How much of a file FFmpeg probes to recognise its format.
PROBE_BYTES: Final = 5_000_000

OPTIONS: Final = {
    "format_whitelist": ",".join(DEMUXERS),
    "codec_whitelist": ",".join(_DECODERS),
    # The bytes come from an inherited descriptor; nothing else may be opened.
    "protocol_whitelist": "none",
    "probesize": str(PROBE_BYTES),
    "max_streams": "32",
}

HEAD_BYTES: Final = 16
_MAGICS: Final = (
    b"RIFF", b"RIFX", b"RF64", b"riff", b"ID3", b"fLaC", b"OggS", b"\x1a\x45\xdf\xa3",
    b"#!AMR", b"caff", b"\x30\x26\xb2\x75\x8e\x66\xcf\x11",
)  # fmt: skip
_MOV_ATOMS: Final = (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip")
_MPEG_SYNC_MASK: Final = 0xE0
# Unsupported formats, by their first bytes and those from the ninth.
_UNREAD: Final = (
    (b"RIFF", b"AVI ", "an AVI video"),
    (b"FLV\x01", b"", "a Flash video"),
    (b"\x00\x00\x01\xba", b"", "an MPEG programme stream"),
    (b".RMF", b"", "a RealMedia recording"),
    (b".snd", b"", "an AU recording"),
    (b"wvpk", b"", "a WavPack recording"),
    (b"MAC ", b"", "a Monkey's Audio recording"),
    (b"TTA", b"", "a True Audio recording"),
    (b"MPCK", b"", "a Musepack recording"),
    (b"MP+", b"", "a Musepack recording"),
    (b"DSD ", b"", "a DSD recording"),
    (b"FRM8", b"", "a DSD recording"),
    (b"RIFF", b"QLCM", "a QCP recording"),
    (b"#!SILK", b"", "a SILK recording"),
    (b"\x02#!SILK", b"", "a SILK recording"),
    (b"MThd", b"", "a MIDI file, which holds notes and no sound"),
    (b"FORM", b"8SVX", "an IFF recording"),
    (b"Creative Voice ", b"", "a VOC recording"),
)


def unread_kind(head: bytes) -> str | None:
    """The name of an unsupported format; None if it is unknown.

    Args:
        head: The first `HEAD_BYTES` of the file, or fewer.
    """
    for first, ninth, kind in _UNREAD:
        if head.startswith(first) and head[8:].startswith(ninth):
            return kind
    return None


def looks_like_audio(head: bytes) -> bool:
    """Whether a file's first bytes are those of a supported container.

    FFmpeg recognises the format. This only distinguishes a damaged recording
    from another kind of file, for the error message.

    Args:
        head: The first `HEAD_BYTES` of the file, or fewer.
    """
    if head.startswith(_MAGICS) or head[4:8] in _MOV_ATOMS:
        return True
    if head.startswith(b"FORM"):
        return head[8:12] in {b"AIFF", b"AIFC"}
    return len(head) > 1 and head[0] == 0xFF and head[1] & _MPEG_SYNC_MASK == _MPEG_SYNC_MASK


def codec_is_read(codec: str) -> bool:
    """Whether a codec, by FFmpeg's canonical name, is supported."""
    return codec in CODECS or codec.startswith("pcm_")
