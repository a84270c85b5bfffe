"""Frame headers that state the frame's length: MPEG audio and ADTS. Runs in the decoder."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from maie_preprocess.reader import Reader

# The size of the longest of these headers.
HEADER_BYTES: Final = 7
# The most tags before the first frame; real files have fewer.
MAX_TAGS: Final = 16
# The search range for the first frame after the tags.
SEARCH_BYTES: Final = 64 * 1024
# Bit rates in kbit/s by version 1 or 2 and layer, from ISO 11172-3 and 13818-3.
_BIT_RATES: Final = {
    (1, 1): (0, 32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448),
    (1, 2): (0, 32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384),
    (1, 3): (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    (2, 1): (0, 32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256),
    (2, 2): (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
    (2, 3): (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
_SAMPLE_RATES: Final = (44_100, 48_000, 32_000)


@dataclass(kw_only=True, frozen=True, slots=True)
class MpegFrame:
    """A frame of MPEG audio.

    Attributes:
        size: Its size in bytes with the header; 0 for a free bit rate.
        samples: The number of samples it decodes to.
        sample_rate: In hertz.
        side_info: The offset of an encoder's tag in it.
    """

    size: int
    samples: int
    sample_rate: int
    side_info: int


def mpeg_frame(head: bytes) -> MpegFrame | None:
    """Parses the header of an MPEG audio frame; None if it is none."""
    if len(head) < 4 or head[0] != 0xFF or head[1] & 0xE0 != 0xE0:
        return None
    version, layer = head[1] >> 3 & 3, 4 - (head[1] >> 1 & 3)
    bit_rate, rate = head[2] >> 4, head[2] >> 2 & 3
    if version == 1 or layer == 4 or bit_rate == 15 or rate == 3:
        return None
    # 3 is MPEG 1, 2 is MPEG 2 with half of the rate, 0 is MPEG 2.5 with a quarter.
    first, sample_rate = version == 3, _SAMPLE_RATES[rate] >> {3: 0, 2: 1, 0: 2}[version]
    bits = _BIT_RATES[1 if first else 2, layer][bit_rate] * 1000
    padding = head[2] >> 1 & 1
    samples = 384 if layer == 1 else 576 if layer == 3 and not first else 1152
    slot = 4 if layer == 1 else 1
    size = (samples // 8 // slot * bits // sample_rate + padding) * slot if bits else 0
    mono = head[3] >> 6 == 3
    return MpegFrame(
        size=size,
        samples=samples,
        sample_rate=sample_rate,
        side_info=4 + ((17 if mono else 32) if first else (9 if mono else 17)),
    )


def frame_size(container: str, head: bytes) -> int:
    """The size in bytes of a frame by its header; 0 if unknown.

    Args:
        container: FFmpeg's name of the container: mp3 or aac.
        head: The frame's first `HEADER_BYTES`, or fewer.
    """
    if container == "mp3":
        frame = mpeg_frame(head)
        return frame.size if frame else 0
    if container == "aac":
        adts = len(head) >= 6 and head[0] == 0xFF and head[1] & 0xF6 == 0xF0
        return (head[3] & 3) << 11 | head[4] << 3 | head[5] >> 5 if adts else 0
    return 0


def skip_tags(file: Reader, offset: int = 0) -> int:
    """The offset of the first frame after ID3v2 tags."""
    for _ in range(MAX_TAGS):
        tag = file.at(offset, 10)
        if len(tag) < 10 or tag[:3] != b"ID3":
            break
        size = tag[6] << 21 | tag[7] << 14 | tag[8] << 7 | tag[9]
        # A footer is not part of the stated size.
        offset += 10 + size + (10 if tag[5] & 0x10 else 0)
    return offset


@dataclass(kw_only=True, frozen=True, slots=True)
class EncoderTag:
    """An MP3 encoder's tag in the first frame, about the whole file.

    Attributes:
        seconds: The duration; None if not stated.
        end: The end of the last frame, in bytes; None if not stated.
    """

    seconds: float | None
    end: int | None


def encoder_tag(file: Reader) -> EncoderTag | None:
    """Reads the tag Xing, Info or VBRI of an MP3 file; None without one."""
    start = skip_tags(file)
    data = file.at(start, SEARCH_BYTES)
    place = data.find(b"\xff")
    while place >= 0:
        frame = mpeg_frame(data[place : place + 4])
        if frame is not None:
            return _tag_in(data[place:], frame, start + place)
        place = data.find(b"\xff", place + 1)
    return None


def _tag_in(data: bytes, frame: MpegFrame, start: int) -> EncoderTag | None:
    def number(place: int) -> int:
        return int.from_bytes(data[place : place + 4], "big")

    frames = size = 0
    place = frame.side_info
    if data[place : place + 4] in {b"Xing", b"Info"}:
        flags = number(place + 4)
        place += 8
        if flags & 1:
            frames = number(place)
            place += 4
        if flags & 2:
            size = number(place)
    elif data[36:40] == b"VBRI":
        size, frames = number(46), number(50)
    else:
        return None
    return EncoderTag(
        seconds=frames * frame.samples / frame.sample_rate if frames else None,
        end=start + size if size else None,
    )
