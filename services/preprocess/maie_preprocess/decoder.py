"""The decoding process: a recording on standard input, messages of `wire` on standard output.

Decoders parse untrusted input. They run in a sandboxed process, which can be
killed, has limits on memory and CPU time, cannot open files or sockets, and
does not know the file's name. `maie_audio.forking` starts it.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from typing import BinaryIO, NoReturn

# PyAV imports the last four only for a file with such a track, when this process can no
# longer open files.
import av
import av.subtitles.codeccontext
import av.subtitles.stream
import av.video.codeccontext
import av.video.stream
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.stream import Disposition

from maie_audio import sandbox
from maie_core.reasons import Reason
from maie_preprocess import completeness, formats, ogg, tracks, wire
from maie_preprocess.calls import SIDES
from maie_preprocess.completeness import Statement
from maie_preprocess.measure import GATE_LUFS, NotANumberError
from maie_preprocess.nameless import Nameless
from maie_preprocess.normalize import (
    SAMPLE_RATE,
    RefusedError,
    check_shape,
    corrupt,
    too_long,
)
from maie_preprocess.packets import packets
from maie_preprocess.reader import Reader
from maie_preprocess.track_decoder import Piece, TrackDecoder

# The last packet of a track may be longer than its sound.
CLAIM_SLACK_SECONDS = 1.0


@contextlib.contextmanager
def _open(source: BinaryIO) -> Iterator[tuple[InputContainer, dict[int, str]]]:
    """Opens a recording; also yields the tags of codecs that FFmpeg does not know."""
    source.seek(0)
    head = source.read(formats.HEAD_BYTES)
    source.seek(0)
    if not head:
        raise RefusedError(Reason.AUDIO_EMPTY, "The recording is empty; submit a file with sound.")
    try:
        with _logged() as log:
            container = av.open(
                Nameless(source), "r", container_options=formats.OPTIONS, metadata_errors="ignore"
            )
    except av.error.FFmpegError as error:
        raise _cannot_open(head) from error
    with container:
        yield container, tracks.tags_of(log)


def _cannot_open(head: bytes) -> RefusedError:
    kind = formats.unread_kind(head)
    if kind is not None:
        return RefusedError(
            Reason.UNSUPPORTED_FORMAT,
            f"The file is {kind}. This format is not supported; export it as WAV, FLAC, MP3 or "
            "M4A.",
        )
    if formats.looks_like_audio(head):
        return corrupt("it cannot be opened")
    return RefusedError(
        Reason.UNSUPPORTED_FORMAT,
        "The file is not in a supported audio format; submit WAV, MP3, M4A, MP4, FLAC, "
        "Ogg, Opus or WebM.",
    )


@contextlib.contextmanager
def _logged() -> Iterator[list[tuple[int, str, str]]]:
    """Captures FFmpeg's log."""
    av.logging.set_level(av.logging.WARNING)
    try:
        with av.logging.Capture() as log:
            yield log
    finally:
        av.logging.set_level(av.logging.PANIC)


def _start_seconds(container: InputContainer) -> float | None:
    """The container's clock at the start of the file; None if no track states it."""
    starts = [
        float(stream.start_time * stream.time_base)
        for stream in (*container.streams.audio, *container.streams.video)
        if stream.start_time is not None
        and stream.time_base is not None
        # A cover image is no video.
        and not stream.disposition & Disposition.attached_pic
    ]
    return min(starts, default=None)


def _claimed_seconds(container: InputContainer, stream: AudioStream) -> float | None:
    """The stated length of the recording; None if not stated."""
    if stream.duration is not None and stream.time_base is not None:
        return float(stream.duration * stream.time_base)
    return container.duration / av.time_base if container.duration is not None else None


def _check_claim(stated: Statement, limits: wire.Limits) -> None:
    """Refuses a recording with a stated length above the limit, before it is decoded.

    Raises:
        RefusedError: AUDIO_TOO_LONG.
    """
    if stated.seconds is not None and stated.seconds > limits.max_seconds + CLAIM_SLACK_SECONDS:
        raise too_long(limits)


def _check_length(samples: int, limits: wire.Limits) -> None:
    """Refuses a recording by the length of its longest track.

    Raises:
        RefusedError: AUDIO_EMPTY or AUDIO_TOO_SHORT.
    """
    if not samples:
        raise RefusedError(Reason.AUDIO_EMPTY, "The recording holds no sound; submit another.")
    if samples < limits.min_seconds * SAMPLE_RATE:
        raise RefusedError(
            Reason.AUDIO_TOO_SHORT,
            f"The recording lasts {samples / SAMPLE_RATE:.2f} s; submit at least "
            f"{limits.min_seconds:g} s.",
        )


def decode(source: BinaryIO, target: BinaryIO, limits: wire.Limits, choice: wire.Choice) -> None:
    """Decodes a recording and sends it, message by message.

    Args:
        source: The recording; must be seekable and unbuffered.
        target: Where to write the messages.
        limits: The limits on the recording.
        choice: Which tracks and channels to decode.

    Raises:
        RefusedError: The recording cannot be used.
    """
    calls: set[int] = set()
    while found := _decode_once(source, target, limits, choice, calls):
        calls |= found


def _decode_once(
    source: BinaryIO,
    target: BinaryIO,
    limits: wire.Limits,
    choice: wire.Choice,
    calls: set[int],
) -> set[int]:
    """Decodes a recording once, until its end or until a track is recognised as a call.

    Args:
        source: See `decode`.
        target: See `decode`.
        limits: See `decode`.
        choice: See `decode`.
        calls: The indexes of streams that are known to be calls.

    Returns:
        The indexes of all streams that are calls, if new ones were recognised and
        everything must be decoded again; empty if everything is sent.
    """
    with _open(source) as (container, tags):
        file = Reader(source)
        read = tracks.pick(container, choice, tags)
        decodings = {}
        for number, stream in read.items():
            context = stream.codec_context
            context.thread_count = 1
            check_shape(context.channels, context.sample_rate, limits)
            mode = _mode(choice, context.channels, stream.index in calls)
            in_lanes = number if choice.all_tracks else 0
            stated = completeness.read_statement(file, container, stream)
            _check_claim(stated, limits)
            decodings[stream.index] = TrackDecoder(
                stream, in_lanes, mode, _start_seconds(container), stated, limits
            )
        opened = _opened(container, read, tags, any(one.split for one in decodings.values()))
        wire.send(target, wire.OPENED, opened)
        for lane, piece in _run(file, container, decodings):
            wire.send(target, wire.SAMPLES, piece, lane)
        if found := {index for index, one in decodings.items() if one.is_call}:
            return found
        warnings = [
            warning for decoding in decodings.values() for warning in decoding.judge(file, limits)
        ]
        _check_length(max(decoding.samples for decoding in decodings.values()), limits)
        done = asdict(_report(list(decodings.values()), warnings))
        if not choice.loudness_range:
            del done["loudness_range_lu"]
        wire.send(target, wire.DONE, json.dumps(done).encode())
    return set()


def _mode(choice: wire.Choice, channels: int, is_call: bool) -> wire.ChannelMode:
    """What to do with the channels of a track."""
    if channels == 1 or (choice.channels == "auto" and channels != SIDES):
        return "mix"
    return "split" if is_call else choice.channels


def _opened(
    container: InputContainer, read: dict[int, AudioStream], tags: dict[int, str], split: bool
) -> wire.Opened:
    first = next(iter(read.values()))
    return wire.Opened(
        container=container.format.name,
        codec=tracks.codec_of(first, tags),
        sample_rate=first.codec_context.sample_rate,
        channels=first.codec_context.channels,
        seconds=_highest(_claimed_seconds(container, stream) for stream in read.values()),
        split=split,
        tracks=tracks.describe(container, read, tags),
    )


def _run(
    file: Reader, container: InputContainer, decodings: dict[int, TrackDecoder]
) -> Iterator[Piece]:
    """Decodes all chosen tracks in one pass, or until one is recognised as a call."""
    read = packets(container, [decoding.stream for decoding in decodings.values()])
    if container.format.name == "ogg":
        read = ogg.on_time(file, read)
    while True:
        try:
            packet = next(read)
        except StopIteration:
            break
        except av.error.FFmpegError:
            for decoding in decodings.values():
                decoding.broke_off = True
            break
        decoding = decodings[packet.stream.index]
        yield from decoding.push(packet)
        if decoding.is_call:
            return
    for decoding in decodings.values():
        yield from decoding.finish()


def _report(decodings: list[TrackDecoder], warnings: list[wire.RecordingWarning]) -> wire.Done:
    """The figures of all decoded tracks; loudness and range are those of the loudest."""
    meters = [decoding.meter for decoding in decodings]
    loudest = max(meters, key=lambda meter: meter.loudness_lufs() or GATE_LUFS)
    return wire.Done(
        normalized=all(decoding.normalizer.kept for decoding in decodings),
        loudness_lufs=_highest(meter.loudness_lufs() for meter in meters),
        loudness_range_lu=loudest.loudness_range_lu(),
        peak_dbfs=_highest(meter.peak_dbfs for meter in meters),
        clipping_ratio=sum(meter.clipped for meter in meters)
        / sum(meter.samples for meter in meters),
        packets=sum(decoding.packets for decoding in decodings),
        damaged_packets=sum(decoding.damaged for decoding in decodings),
        warnings=warnings,
    )


def _highest(values: Iterable[float | None]) -> float | None:
    return max((value for value in values if value is not None), default=None)


def prepare() -> None:
    """Silences FFmpeg, in the fork server."""
    av.logging.set_level(av.logging.PANIC)


def main(limits: str, choice: str) -> NoReturn:
    """Decodes standard input.

    Args:
        limits: `wire.Limits` as JSON.
        choice: `wire.Choice` as JSON.
    """
    kept, chosen = wire.Limits(**json.loads(limits)), wire.Choice(**json.loads(choice))
    sandbox.confine(kept.memory_bytes)
    sandbox.limit_cpu(kept.cpu_seconds)
    source, target = open(0, "rb", buffering=0), sys.stdout.buffer  # noqa: SIM115
    try:
        decode(source, target, kept, chosen)
    except RefusedError as refused:
        _refuse(target, refused)
    except NotANumberError:
        _refuse(target, corrupt("it holds samples that are not numbers"))
    except MemoryError:
        _refuse(target, corrupt("decoding it exceeds the memory limit"))
    except av.error.FFmpegError:
        _refuse(target, corrupt("its decoded samples are invalid"))
    except ConnectionError:
        pass  # The service is gone.
    # Skips the interpreter's shutdown, which would open files.
    os._exit(0)


def _refuse(target: BinaryIO, refused: RefusedError) -> None:
    answer = wire.Refused(reason=refused.reason, message=refused.message, field=refused.field)
    wire.send(target, wire.REFUSED, answer)
