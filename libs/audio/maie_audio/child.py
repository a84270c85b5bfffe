"""The decoding process: messages of `wire` on standard input and output; run by `forking`.

It decodes several tracks, one message after another. The service starts another in its
place if one of them breaks it.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
from typing import BinaryIO, NoReturn

# PyAV imports some modules on first use, when a process can no longer open files.
import av
import av.audio.codeccontext
import av.audio.fifo
import av.audio.frame
import av.filter.graph
import av.video.frame

from maie_audio import opus, sandbox, wire
from maie_audio.formats import MAX_STATE_BYTES, Format, Limits, Part, RefusedError, damaged
from maie_audio.packets import Packet
from maie_audio.sound import Sound
from maie_audio.track import TrackDecoder


class _Tracks:
    """The tracks of this process, by number."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._decoders: dict[int, TrackDecoder] = {}

    def answer(self, kind: bytes, track: int, head: bytes, body: bytes) -> bytes:
        """Does what a message asks for; empty if it has no answer."""
        if kind == wire.CLOSE:
            self._decoders.pop(track, None)
            return b""
        try:
            if kind == wire.OPEN:
                stated = Format(**json.loads(head))
                self._decoders[track] = TrackDecoder(stated, self._limits, body)
                return wire.pack(wire.PARTS, track, b"[]")
            decoder = self._decoders[track]
            parts = decoder.silence() if kind == wire.SILENCE else decoder.decode(body)
            return _pack(track, parts, decoder.state())
        except RefusedError as refused:
            return _refuse(track, refused)
        except MemoryError:
            return _refuse(track, damaged("Decoding a message exceeds the memory limit"))


def _pack(track: int, parts: list[Part], state: bytes) -> bytes:
    if len(state) > MAX_STATE_BYTES:
        raise damaged("A part of the stream is too large")
    sizes = [-part if isinstance(part, int) else len(part) for part in parts]
    body = b"".join(part for part in parts if isinstance(part, bytes)) + state
    return wire.pack(wire.PARTS, track, json.dumps(sizes).encode(), body)


def _refuse(track: int, refused: RefusedError) -> bytes:
    head = json.dumps([refused.reason, refused.message]).encode()
    return wire.pack(wire.REFUSED, track, head)


def prepare() -> None:
    """Runs each decoder once in the fork server, so that it loads all its files."""
    av.logging.set_level(av.logging.PANIC)
    sound = Sound(opus.head(1), 0)
    silence = b"\xf8\xff\xfe"
    packet = Packet(content=silence, samples=opus.packet_samples(silence))
    sound.convert(sound.decode(packet), None)
    sound.flush()
    av.CodecContext.create("flac", "r")


def _serve(source: BinaryIO, target: BinaryIO, limits: Limits) -> None:
    tracks = _Tracks(limits)
    target.write(wire.pack(wire.READY, 0))
    target.flush()
    while len(header := source.read(wire.HEADER.size)) == wire.HEADER.size:
        kind, track, head_size, body_size = wire.HEADER.unpack(header)
        head, body = source.read(head_size), source.read(body_size)
        sandbox.allow_cpu(limits.cpu_seconds)
        target.write(tracks.answer(kind, track, head, body))
        target.flush()


def main(limits: str) -> NoReturn:
    """Decodes until standard input ends.

    Args:
        limits: `Limits` as JSON.
    """
    kept = Limits(**json.loads(limits))
    sandbox.confine(kept.memory_bytes)
    # The service is gone, and has perhaps not read all.
    with contextlib.suppress(ConnectionError):
        _serve(sys.stdin.buffer, sys.stdout.buffer, kept)
    # Skips the interpreter's shutdown, which would open files.
    os._exit(0)
