"""Checks a recording for completeness against its file's metadata. Runs in the decoder."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import av
from av.audio.stream import AudioStream
from av.container import InputContainer

from maie_core.reasons import Reason, WarningReason
from maie_preprocess import amr, asf, boxes, frame_headers, matroska, ogg, transport_stream
from maie_preprocess.gaps import clock
from maie_preprocess.normalize import RefusedError
from maie_preprocess.reader import Reader
from maie_preprocess.stated_size import stated_size
from maie_preprocess.wire import RecordingWarning

# A recording that ends this much before its stated end is accepted with a warning:
# encoders round, and some count a last packet that they never wrote.
SHORTFALL_SECONDS: Final = 2.0
SHORTFALL_SHARE: Final = 0.01
# Shorter than any word.
UNHEARD_SECONDS: Final = 0.25
# Containers whose header always states the length of each track, by FFmpeg's names.
STATING_LENGTH: Final = frozenset({"aiff", "caf", "flac", "mov", "w64", "wav"})


@dataclass(kw_only=True, frozen=True, slots=True)
class Statement:
    """The length that a file states.

    Attributes:
        container: FFmpeg's name of its container.
        stream_id: The track's number in the container.
        seconds: The track's stated duration; None if not stated.
        size: The file's stated size in bytes; None if not stated.
        missing_share: The missing bytes over the existing ones, by the stated size;
            0 if none are missing.
        broken: Whether there is something else between its parts.
    """

    container: str
    stream_id: int
    seconds: float | None
    size: int | None
    missing_share: float
    broken: bool


@dataclass(kw_only=True, frozen=True, slots=True)
class Ending:
    """The actual end of a file's track.

    Attributes:
        seconds: Its duration.
        late_seconds: The part of that which is silence before the first sound.
        last_position: The offset of its last packet; None without packets.
    """

    seconds: float
    late_seconds: float
    last_position: int | None


def read_statement(file: Reader, container: InputContainer, stream: AudioStream) -> Statement:
    """Reads the stated length of one of a file's tracks."""
    size = stated_size(file)
    tag = frame_headers.encoder_tag(file) if container.format.name == "mp3" else None
    if tag is not None:
        size = tag.end
    missing = max(0.0, size / file.size - 1) if size is not None else 0.0
    seconds = tag.seconds if tag is not None else _seconds(file, container, stream, missing)
    return Statement(
        container=container.format.name,
        stream_id=stream.id,
        seconds=seconds,
        size=size,
        missing_share=missing,
        broken="mov" in container.format.name and boxes.is_broken(file),
    )


def _seconds(
    file: Reader, container: InputContainer, stream: AudioStream, missing: float
) -> float | None:
    """The duration of a track by the header; None if FFmpeg would estimate it."""
    names = set(container.format.name.split(","))
    if not names.isdisjoint(STATING_LENGTH):
        if stream.duration is None or stream.time_base is None:
            return None
        seconds = float(stream.duration * stream.time_base)
        # FFmpeg computes the length of these from the existing bytes.
        return seconds * (1 + missing) if names & {"caf", "wav", "w64"} else seconds
    if "asf" in names:
        return asf.stated_seconds(file)
    # Matroska states the length of the longest track; others may be shorter.
    is_stated = "matroska" in names and (missing or len(container.streams) == 1)
    if is_stated and container.duration is not None and matroska.states_duration(file):
        return container.duration / av.time_base
    return None


def judge(file: Reader, stated: Statement, ending: Ending) -> list[RecordingWarning]:
    """Compares the actual length with the stated one.

    Returns:
        A warning if a little is missing, or if the end is visibly truncated.

    Raises:
        RefusedError: AUDIO_CORRUPT if more is missing: a transcript that silently
            lacks its end is worse than none.
    """
    seconds = ending.seconds
    promised = stated.seconds
    if promised is None:
        promised = (seconds - ending.late_seconds) * (1 + stated.missing_share)
    promised += ending.late_seconds
    missing = promised - seconds
    whole = stated.size is not None and not stated.missing_share
    # The last part of a fragmented MP4 states only its own length, not that of later parts.
    unfinished = stated.missing_share > 0 and "mov" in stated.container
    if stated.broken:
        raise RefusedError(
            Reason.AUDIO_CORRUPT,
            f"The recording is damaged: it cannot be read beyond {seconds:.1f} s; export it again.",
        )
    if not seconds and promised:
        raise _short(seconds, promised)
    if missing > max(SHORTFALL_SECONDS, SHORTFALL_SHARE * promised) and not whole:
        raise _short(seconds, promised)
    metadata: dict[str, float] = {}
    if missing > UNHEARD_SECONDS:
        metadata["stated_seconds"] = promised
        message = f"The file states a length of {clock(promised)} and ends at {clock(seconds)}."
    elif unfinished or (stated.seconds is None and not whole and _breaks_off(file, stated, ending)):
        message = f"The file ends at {clock(seconds)} before it is complete."
    else:
        return []
    return [
        RecordingWarning(
            reason=WarningReason.TRUNCATED,
            message=message,
            start_seconds=seconds,
            end_seconds=max(seconds, promised),
            metadata=metadata,
        )
    ]


def _short(seconds: float, promised: float) -> RefusedError:
    return RefusedError(
        Reason.AUDIO_CORRUPT,
        f"The recording is damaged: it breaks off after {seconds:.1f} of the {promised:.1f} s "
        "that it states; export it again.",
    )


def _breaks_off(file: Reader, stated: Statement, ending: Ending) -> bool:
    """Whether a file that does not state its size is visibly truncated."""
    if stated.container == "ogg":
        return not ogg.has_last_page(file)
    if ending.last_position is None:
        return False
    if "matroska" in stated.container:
        return matroska.breaks_off(file, ending.last_position)
    if stated.container == "amr":
        return amr.breaks_off(file, ending.last_position)
    if stated.container == "mpegts":
        return transport_stream.breaks_off(file, stated.stream_id)
    head = file.at(ending.last_position, frame_headers.HEADER_BYTES)
    size = frame_headers.frame_size(stated.container, head)
    return ending.last_position + size > file.size
