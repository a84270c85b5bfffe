"""The warnings about a recording."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from maie.common.v1 import types_pb2 as common
from maie_core.reasons import WarningReason
from maie_core.result_warnings import result_warning
from maie_preprocess import formats, wire

# The most tracks that a warning names.
MAX_NAMED = 3


# Distortion is audible from about here on: a thousandth of all samples at full scale.
MIN_CLIPPING_RATIO = 1e-3


def warnings_of(opened: wire.Opened, done: wire.Done, *, has_speech: bool) -> list[common.Warning]:
    """The warnings about a completely decoded recording.

    Those about the whole recording come first, then the others in time order.

    Args:
        opened: The container's metadata.
        done: The result of decoding.
        has_speech: Whether the recording has speech.
    """
    found = other_tracks(opened.tracks)
    if not has_speech:
        found.append(
            result_warning(
                WarningReason.NO_SPEECH,
                "No speech was found in the recording, so there is no text.",
            )
        )
    if done.clipping_ratio >= MIN_CLIPPING_RATIO:
        found.append(
            result_warning(
                WarningReason.CLIPPING,
                f"The recording is clipped: {done.clipping_ratio:.1%} of its samples are at full "
                "scale; record at a lower level.",
                metadata={"ratio": done.clipping_ratio},
            )
        )
    return found + [_warning(each) for each in done.warnings]


def other_tracks(tracks: Sequence[wire.Track]) -> list[common.Warning]:
    """A warning that names the tracks that were not used, and how to get them."""
    rest = [track for track in tracks if not track.read]
    if not rest:
        return []
    numbers = [track.track for track in tracks if track.read]
    read = _numbers(numbers)
    metadata: dict[str, object] = {"tracks": len(tracks), "read": _list(numbers)}
    message = f"The recording has {len(tracks)} audio tracks and {read} read; "
    readable = [track.track for track in rest if formats.codec_is_read(track.codec)]
    if readable:
        others = " or ".join(f"track {number}" for number in readable[:MAX_NAMED])
        what = "the other one" if len(readable) == 1 else "the others"
        metadata["others"] = _list(readable[:MAX_NAMED])
        message += f"ask for {others} or for all tracks to read {what}."
    else:
        names = dict.fromkeys(track.codec for track in rest)
        codecs = " and ".join(map(repr, names))
        metadata["codecs"] = _list(names)
        what = "the other one" if len(rest) == 1 else "the others"
        message += f"{what} cannot be read: codec {codecs}."
    return [result_warning(WarningReason.OTHER_TRACKS, message, metadata=metadata)]


def _list(values: Iterable[object]) -> str:
    return ",".join(map(str, values))


def _warning(found: wire.RecordingWarning) -> common.Warning:
    span = None
    if found.start_seconds is not None and found.end_seconds is not None:
        span = common.TimeRange()
        span.start_offset.FromNanoseconds(round(found.start_seconds * 1e9))
        span.end_offset.FromNanoseconds(round(found.end_seconds * 1e9))
    return result_warning(found.reason, found.message, span, metadata=found.metadata)


def _numbers(tracks: Sequence[int]) -> str:
    if len(tracks) == 1:
        return f"track {tracks[0]} was"
    return f"tracks {', '.join(map(str, tracks[:-1]))} and {tracks[-1]} were"
