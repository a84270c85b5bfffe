"""The service's side of the decoding process."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections import defaultdict
from collections.abc import AsyncIterator
from dataclasses import asdict
from typing import Final

from maie_audio.confined_process import KILLED_BY_INPUT, ConfinedProcess
from maie_audio.fork_server import ForkServer, StartError
from maie_core.errors import Code, StageError, invalid
from maie_core.reasons import Reason
from maie_preprocess import wire
from maie_preprocess.settings import PreprocessSettings

# What a fork server runs for `decoding`.
PROGRAM: Final = "maie_preprocess.decoder"
# The pipe's reader buffers up to twice this, some ten seconds of sound, so that
# decoding continues while the VAD runs.
READ_AHEAD_BYTES = 160 * 1024


def limits_of(settings: PreprocessSettings) -> wire.Limits:
    """The limits on a recording and its decoding."""
    return wire.Limits(
        min_seconds=settings.min_duration_seconds,
        max_seconds=settings.max_duration_seconds,
        max_channels=settings.max_channels,
        max_sample_rate=settings.max_sample_rate_hertz,
        max_damaged_share=settings.max_damaged_share,
        memory_bytes=settings.decoder_memory_mib * 1024 * 1024,
        cpu_seconds=settings.decoder_cpu_seconds,
    )


class Decoding:
    """A recording that is being decoded; made by `decoding`.

    Attributes:
        opened: The container's metadata; set by `open`. It is replaced if all windows so
            far are void and follow again; see `wire`.
        done: The result of decoding; set after the last window.
    """

    def __init__(self, process: ConfinedProcess, stall_seconds: float) -> None:
        self.opened: wire.Opened | None = None
        self.done: wire.Done | None = None
        self._process = process
        self._stall_seconds = stall_seconds

    async def open(self) -> wire.Opened:
        """Waits for the container's metadata; call it before `windows`.

        Raises:
            StageError: As for `windows`.
        """
        while self.opened is None:
            kind, _, payload = await self._receive()
            self._take(kind, payload)
        return self.opened

    async def windows(self, size: int) -> AsyncIterator[tuple[wire.Lane, bytes]]:
        """Yields the samples of each lane, 16 kHz mono 16-bit, `size` bytes at a time.

        The last window of a lane may be shorter.

        Raises:
            StageError: INVALID_ARGUMENT if the recording cannot be used,
                INTERNAL if the process failed for another reason.
        """
        windows: defaultdict[wire.Lane, bytearray] = defaultdict(bytearray)
        while self.done is None:
            kind, lane, payload = await self._receive()
            if kind == wire.SAMPLES:
                window = windows[lane]
                window += payload
                while len(window) >= size:
                    yield lane, bytes(window[:size])
                    del window[:size]
                continue
            if kind == wire.OPENED:
                windows.clear()
            self._take(kind, payload)
        for lane, window in windows.items():
            if window:
                yield lane, bytes(window)

    async def _receive(self) -> tuple[bytes, wire.Lane, bytes]:
        pipe = self._process.stdout
        try:
            async with asyncio.timeout(self._stall_seconds):
                header = await pipe.readexactly(wire.HEADER.size)
                kind, track, channel, size = wire.HEADER.unpack(header)
                if size > wire.MAX_PAYLOAD_BYTES:
                    raise _failed("sent a message that is too large")
                return kind, wire.Lane(track, channel), await pipe.readexactly(size)
        except asyncio.IncompleteReadError as error:
            raise await self._why_it_ended() from error
        except TimeoutError as error:
            raise _corrupt("decoding it does not come to an end") from error

    def _take(self, kind: bytes, payload: bytes) -> None:
        fields = json.loads(payload)
        if kind == wire.REFUSED:
            refused = wire.Refused(**fields)
            raise invalid(refused.reason, refused.message, field=refused.field)
        if kind == wire.OPENED:
            tracks = [wire.Track(**track) for track in fields.pop("tracks")]
            self.opened = wire.Opened(**fields, tracks=tracks)
        else:
            warnings = [wire.RecordingWarning(**warning) for warning in fields.pop("warnings")]
            self.done = wire.Done(**fields, warnings=warnings)

    async def _why_it_ended(self) -> StageError:
        status = await self._process.wait()
        if status < 0 and -status in KILLED_BY_INPUT:
            return _corrupt("it breaks the decoder or a limit on decoding")
        return _failed(f"ended with status {status}: {await self._process.end()}")


@contextlib.asynccontextmanager
async def decoding(
    recording: int, settings: PreprocessSettings, choice: wire.Choice, fork_server: ForkServer
) -> AsyncIterator[Decoding]:
    """Decodes a recording in a process that ends with the context.

    Args:
        recording: The descriptor of a seekable file, at its beginning.
        settings: The service's settings.
        choice: Which tracks and channels to decode.
        fork_server: Starts the process; of `PROGRAM`.

    Raises:
        StageError: INTERNAL with DECODER_FAILED if the process cannot be started.
    """
    limits = json.dumps(asdict(limits_of(settings)))
    try:
        process = await fork_server.start(
            limits, json.dumps(asdict(choice)), stdin=recording, buffer_bytes=READ_AHEAD_BYTES
        )
    except StartError as error:
        raise _failed(str(error)) from error
    try:
        yield Decoding(process, settings.decoder_stall_seconds)
    finally:
        await process.end()


def _corrupt(why: str) -> StageError:
    return invalid(Reason.AUDIO_CORRUPT, f"The recording is damaged: {why}; export it again.")


def _failed(what: str) -> StageError:
    return StageError(
        Code.INTERNAL, Reason.DECODER_FAILED, f"The decoding process {what}; try again."
    )
