"""Audio from a microphone, by a program of the machine."""

from __future__ import annotations

import asyncio
import shutil
import sys
import tempfile

from maie.live.v1 import live_pb2 as live
from maie_cli.live.sources import RATE_HERTZ, SAMPLE_BYTES, SourceError, piece_frames
from maie_client import linear16
from maie_formats.clean import plain

_RATE = str(RATE_HERTZ)
_RAW = ("-ac", "1", "-ar", _RATE, "-f", "s16le", "-")
_FFMPEG = ("ffmpeg", "-nostdin", "-loglevel", "error")
RECORDERS: tuple[tuple[str, ...], ...] = (
    ("parec", "--raw", "--format=s16le", f"--rate={_RATE}", "--channels=1", "--latency-msec=50"),
    ("arecord", "-q", "-t", "raw", "-f", "S16_LE", "-r", _RATE, "-c", "1"),
    ("rec", "-q", "-t", "raw", "-e", "signed-integer", "-b16", "-L", "-r", _RATE, "-c", "1", "-"),
)
"""Programs that write 16-bit mono PCM to standard output, the best first."""
_MICROPHONES = {"darwin": ("-f", "avfoundation", "-i", ":default")}
_ANY_MICROPHONE = ("-f", "pulse", "-i", "default")
NO_RECORDER = (
    "No program here records from a microphone; install pulseaudio-utils, alsa-utils, sox or "
    "ffmpeg, or pipe 16-bit samples in: RECORDER | maie live - --rate 16000"
)


class Microphone:
    """The default microphone."""

    name = ""
    paced = True

    def __init__(self) -> None:
        self._process: asyncio.subprocess.Process | None = None
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 # closed by close()

    async def open(self) -> live.AudioFormat:
        """Starts to record.

        Raises:
            SourceError: There is no program that records.
        """
        self._process = await asyncio.create_subprocess_exec(
            *_recorder(),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=self._errors,
            start_new_session=True,  # Ctrl-C is for this command, which stops it
        )
        return linear16(RATE_HERTZ)

    async def read(self) -> bytes:
        """The next samples.

        Raises:
            SourceError: The program has ended.
        """
        assert self._process is not None
        assert self._process.stdout is not None
        size = piece_frames(RATE_HERTZ) * SAMPLE_BYTES
        try:
            return await self._process.stdout.readexactly(size)
        except asyncio.IncompleteReadError:
            raise SourceError(self._last_words()) from None

    async def close(self) -> None:
        """Stops to record."""
        if self._process is not None and self._process.returncode is None:
            self._process.kill()
            await self._process.wait()
        self._errors.close()

    def _last_words(self) -> str:
        self._errors.seek(0)
        errors = self._errors.read()
        lines = [plain(line) for line in errors.decode(errors="replace").splitlines()]
        last = next((line for line in reversed(lines) if line), "it gave no reason")
        return f"The program that records has ended: {last}"


def _recorder() -> tuple[str, ...]:
    ffmpeg = (*_FFMPEG, *_MICROPHONES.get(sys.platform, _ANY_MICROPHONE), *_RAW)
    for command in (*RECORDERS, ffmpeg):
        if shutil.which(command[0]):
            return command
    raise SourceError(NO_RECORDER)
