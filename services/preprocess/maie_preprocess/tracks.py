"""The audio tracks of a file, and which of them to decode. Runs in the decoder."""

from __future__ import annotations

import re
from collections.abc import Sequence

from av.audio.stream import AudioStream
from av.container import InputContainer
from av.stream import Disposition

from maie_core.reasons import Reason
from maie_preprocess import formats, wire
from maie_preprocess.normalize import RefusedError

MAX_TITLE_CHARACTERS = 200
UNKNOWN_CODEC = "unknown"
TRACK_FIELD = "recording_options.track"
# FFmpeg's log line for a stream whose codec it does not know: PyAV does not expose the tag.
_UNKNOWN = re.compile(r"stream (\d+) \(Audio: none \((\S+) / 0x")


def tags_of(log: Sequence[tuple[int, str, str]]) -> dict[int, str]:
    """The tags of codecs that FFmpeg does not know, by the stream's index, out of its log."""
    found = (_UNKNOWN.search(message) for _, _, message in log)
    return {int(match[1]): match[2] for match in found if match}


def codec_of(stream: AudioStream, tags: dict[int, str]) -> str:
    """FFmpeg's name of the codec, or the container's tag if FFmpeg has none."""
    # A stream whose codec FFmpeg cannot name has no codec context at all.
    context = stream.codec_context
    if context is not None:
        return context.codec.canonical_name
    return tags.get(stream.index, UNKNOWN_CODEC)


def pick(
    container: InputContainer, choice: wire.Choice, tags: dict[int, str]
) -> dict[int, AudioStream]:
    """The numbers of the tracks to decode, from 1.

    If the request names none: the first supported track that the file flags as
    default, or else the first supported one.

    Raises:
        RefusedError: TRACK_NOT_FOUND, or UNSUPPORTED_FORMAT if none is supported.
    """
    streams = dict(enumerate(container.streams.audio, 1))
    if not container.streams:
        raise RefusedError(
            Reason.AUDIO_CORRUPT, "The recording is damaged: it holds no track; export it again."
        )
    if not streams:
        raise RefusedError(
            Reason.UNSUPPORTED_FORMAT, "The file has no audio track; submit one that has sound."
        )
    if choice.track > len(streams):
        tracks = "1 audio track" if len(streams) == 1 else f"{len(streams)} audio tracks"
        raise RefusedError(
            Reason.TRACK_NOT_FOUND,
            f"The file has {tracks} and no track {choice.track}; choose one from 1 to "
            f"{len(streams)}.",
            field=TRACK_FIELD,
        )
    wanted = {choice.track: streams[choice.track]} if choice.track else streams
    read = {
        number: stream
        for number, stream in wanted.items()
        if formats.codec_is_read(codec_of(stream, tags))
    }
    if not read:
        raise _not_read([codec_of(stream, tags) for stream in wanted.values()])
    if choice.all_tracks:
        return read
    first = min(read, key=lambda number: (not _is_default(read[number]), number))
    return {first: read[first]}


def describe(
    container: InputContainer, read: dict[int, AudioStream], tags: dict[int, str]
) -> list[wire.Track]:
    """All audio tracks of a file, in file order."""
    return [
        wire.Track(
            track=number,
            codec=codec_of(stream, tags),
            language=_language(stream.language),
            title=_line(stream.metadata.get("title", "")),
            default=_is_default(stream),
            read=number in read,
        )
        for number, stream in enumerate(container.streams.audio, 1)
    ]


def _is_default(stream: AudioStream) -> bool:
    return Disposition.default in stream.disposition


def _language(named: str | None) -> str:
    # ISO 639-2 has a code for an undetermined language.
    return _line(named or "").removeprefix("und")


def _line(title: str) -> str:
    """A title as one printable line."""
    shown = "".join(letter if letter.isprintable() else " " for letter in title)
    return " ".join(shown.split())[:MAX_TITLE_CHARACTERS]


def _not_read(codecs: Sequence[str]) -> RefusedError:
    names = " and ".join(repr(codec) for codec in dict.fromkeys(codecs))
    verb = "is" if len(set(codecs)) == 1 else "are"
    noun = "codec" if len(set(codecs)) == 1 else "codecs"
    return RefusedError(
        Reason.UNSUPPORTED_FORMAT,
        f"The recording's {noun} {names} {verb} not read; export it as WAV, FLAC, MP3 or AAC.",
    )
