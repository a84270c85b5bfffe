"""Decodes the messages of one track. Runs in the decoding process."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

from maie_audio import opus
from maie_audio.clock import Clock
from maie_audio.flac import FlacReader
from maie_audio.formats import (
    SAMPLE_BYTES,
    SAMPLE_RATE,
    Format,
    Limits,
    Part,
    RefusedError,
    damaged,
    other_format,
)
from maie_audio.ogg import OggReader
from maie_audio.packets import Head, Packet, Reader, State
from maie_audio.sound import Sound
from maie_audio.webm import WebmReader


class TrackDecoder:
    """The decoder of one track.

    Args:
        stated: The format as stated.
        limits: The limits on each message.
        state: What `state` of the decoder gave that this one continues; empty at the
            beginning.
    """

    def __init__(self, stated: Format, limits: Limits, state: bytes = b"") -> None:
        self._stated = stated
        self._limits = limits
        self._parts: list[Part] = []
        # What the resampler of the decoder before this one kept becomes silence.
        self._owed = 0
        self._sound_left = self._silence_left = 0.0
        line, _, pending = state.partition(b"\n")
        fields: dict[str, Any] = json.loads(line) if line else {}
        self._reader = _reader(stated, fields.get("reader"), pending)
        self._head: Head | None = None
        if fields.get("head"):
            head = fields["head"]
            self._start(Head(**head | {"extradata": bytes.fromhex(head["extradata"])}))
            self._sound.skip = fields["skip"]
            self._clock.following = fields["following"]
            self._owed = fields["owed"]

    def state(self) -> bytes:
        """What another decoder needs to go on with the next message."""
        fields: dict[str, Any] = {"reader": self._reader.state()}
        if self._head is not None:
            fields["head"] = asdict(self._head) | {"extradata": self._head.extradata.hex()}
            fields |= {"skip": self._sound.skip, "following": self._clock.following}
            fields["owed"] = self._owed + self._sound.owed
        return json.dumps(fields, separators=(",", ":")).encode() + b"\n" + self._reader.pending

    def decode(self, message: bytes) -> list[Part]:
        """Decodes what a message completes.

        Raises:
            RefusedError: AUDIO_FORMAT_INVALID or AUDIO_PART_INVALID.
        """
        self._begin()
        self._sound_left = self._limits.sound_seconds
        self._silence_left = self._limits.silence_seconds
        for item in self._reader.push(message):
            if isinstance(item, Head):
                self._check(item)
                self._start(item)
            else:
                self._add(item)
        self._try(self._reader.uncertain())
        return self._parts

    def silence(self) -> list[Part]:
        """Prepares for sound after silence that its sender states apart from the stream.

        The stream's clock may count that silence or not; its next time is taken as it is.
        """
        self._begin()
        if self._head is not None:
            self._clock.following = None
            self._put(self._sound.flush())
        return self._parts

    def _begin(self) -> None:
        self._parts = []
        channels = self._head.channels if self._head and self._stated.split else 1
        self._put(bytes(self._owed * SAMPLE_BYTES * channels))
        self._owed = 0

    def _start(self, head: Head) -> None:
        self._head = head
        if self._stated.split and head.codec == opus.CODEC:
            head = opus.unmixed(head)
        self._sound = Sound(head, head.pre_skip, split=self._stated.split)
        self._clock = Clock(head.sample_rate)

    def _check(self, head: Head) -> None:
        """Compares a stream with what its sender stated."""
        rates = opus.RATES if head.codec == opus.CODEC else (head.sample_rate,)
        if self._stated.sample_rate and self._stated.sample_rate not in rates:
            raise other_format(
                f"The stream has {' or '.join(map(str, rates))} Hz, not {self._stated.sample_rate}"
            )
        if self._stated.channels and self._stated.channels != head.channels:
            raise other_format(
                f"The stream has {head.channels} channels, not {self._stated.channels}"
            )

    def _add(self, packet: Packet) -> None:
        assert self._head is not None
        self._sound_left -= packet.samples / self._head.sample_rate
        if self._sound_left < 0:
            raise damaged(f"A message holds more than {self._limits.sound_seconds:g} s of sound")
        frames = self._sound.decode(packet)
        gap = self._clock.gap(packet.start, packet.samples) / self._head.sample_rate
        self._silence_left -= gap
        if self._silence_left < 0:
            raise damaged(
                f"The clock of the stream jumps by more than {self._limits.silence_seconds:g} s"
            )
        if gap:
            self._put(self._sound.flush())
            self._parts.append(round(gap * SAMPLE_RATE))
        self._put(self._sound.convert(frames, packet.keep))

    def _try(self, packet: Packet | None) -> None:
        """Decodes a packet that may be cut off; it then waits for its rest."""
        if packet is None:
            return
        try:
            self._add(packet)
        except RefusedError:
            return
        self._reader.accept()

    def _put(self, sound: bytes) -> None:
        if sound and self._parts and isinstance(self._parts[-1], bytes):
            self._parts[-1] += sound
        elif sound:
            self._parts.append(sound)


def _reader(stated: Format, state: State | None, pending: bytes) -> Reader:
    match stated.encoding:
        case "opus":
            return opus.PacketReader(stated.channels, state)
        case "ogg_opus":
            return OggReader(state, pending)
        case "webm_opus":
            return WebmReader(state, pending)
        case "flac":
            return FlacReader(state, pending)
