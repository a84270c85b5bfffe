"""Whether a recording is all there, by what its file says of itself. Runs in the decoder."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import av
from av.audio.stream import AudioStream
from av.container import InputContainer

from maie_preprocess import amr, asf, boxes, frame_headers, matroska, ogg, transport_stream
from maie_preprocess.gaps import clock
from maie_preprocess.normalize import RefusedError
from maie_preprocess.reader import Reader
from maie_preprocess.stated_size import stated_size
from maie_preprocess.wire import RecordingWarning
from maie_runtime.reasons import Reason, WarningReason

# A recording may end this much before its header says and is used all the same,
# with a warning: encoders round, and some count a last packet that they never wrote.
SHORTFALL_SECONDS: Final = 2.0
SHORTFALL_SHARE: Final = 0.01
# No word is that short.
UNHEARD_SECONDS: Final = 0.25
# Containers whose header always states the length of each track, by FFmpeg's names.
STATING_LENGTH: Final = frozenset({"aiff", "caf", "flac", "mov", "w64", "wav"})


@dataclass(kw_only=True, frozen=True, slots=True)
class Statement:
    """What a file says of its own length.

    Attributes:
        container: FFmpeg's name of its container.
        stream_id: The track's number in the container.
        seconds: How long the track plays; None where the file does not say.
        size: How many bytes the file has; None where it does not say.
        missing_share: How much of the file is missing by its own account, as a
            share of what is there; 0 where nothing is.
        broken: Whether its parts do not follow each other to its end.
    """

    container: str
    stream_id: int
    seconds: float | None
    size: int | None
    missing_share: float
    broken: bool


@dataclass(kw_only=True, frozen=True, slots=True)
class Ending:
    """How the track of a file ended.

    Attributes:
        seconds: How long it was.
        late_seconds: How much of that is silence before its first sound.
        last_position: Where its last packet was read; None where there was none.
    """

    seconds: float
    late_seconds: float
    last_position: int | None


def read_statement(file: Reader, container: InputContainer, stream: AudioStream) -> Statement:
    """Reads what a file says of the length of one of its tracks."""
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
    """How long a track is by the header; None where FFmpeg would estimate it."""
    names = set(container.format.name.split(","))
    if not names.isdisjoint(STATING_LENGTH):
        if stream.duration is None or stream.time_base is None:
            return None
        seconds = float(stream.duration * stream.time_base)
        # FFmpeg takes the length of these from the bytes that there are.
        return seconds * (1 + missing) if names & {"caf", "wav", "w64"} else seconds
    if "asf" in names:
        return asf.stated_seconds(file)
    # Matroska states the length of the longest track, and others may end before it.
    tells = "matroska" in names and (missing or len(container.streams) == 1)
    if tells and container.duration is not None and matroska.states_duration(file):
        return container.duration / av.time_base
    return None


def judge(file: Reader, stated: Statement, ending: Ending) -> list[RecordingWarning]:
    """Compares what there was with what was stated.

    Returns:
        A warning where a little is missing or where the end can be seen to be.

    Raises:
        RefusedError: AUDIO_CORRUPT where more is missing: a transcript that
            lacks its end without saying so is worse than none.
    """
    seconds = ending.seconds
    promised = stated.seconds
    if promised is None:
        promised = (seconds - ending.late_seconds) * (1 + stated.missing_share)
    promised += ending.late_seconds
    missing = promised - seconds
    whole = stated.size is not None and not stated.missing_share
    # The last part of a fragmented MP4 says how long it is itself, and nothing of those after it.
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
    if missing > UNHEARD_SECONDS:
        message = f"The file announces {clock(promised)} and ends at {clock(seconds)}."
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
        )
    ]


def _short(seconds: float, promised: float) -> RefusedError:
    return RefusedError(
        Reason.AUDIO_CORRUPT,
        f"The recording is damaged: it breaks off after {seconds:.1f} of the {promised:.1f} s "
        "that it announces; export it again.",
    )


def _breaks_off(file: Reader, stated: Statement, ending: Ending) -> bool:
    """Whether a file that does not state its size can be seen to lack its end."""
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
