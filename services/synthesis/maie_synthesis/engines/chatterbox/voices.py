"""Reference voices: recordings that an operator puts into a folder."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import av
import numpy as np
from av.audio.resampler import AudioResampler
from numpy.typing import NDArray

from maie_core.errors import Code, StageError
from maie_core.models import file_sha256
from maie_core.reasons import Reason
from maie_synthesis.engines.chatterbox.files import RATE

VARIABLE: Final = "MAIE_SYNTHESIS_CHATTERBOX_VOICES_PATH"
ENDINGS: Final = (".wav", ".flac")
# Resemble AI's own code refuses less, and uses no more than 15 s.
LEAST_SECONDS: Final = 5.0
MOST_SECONDS: Final = 30.0
_FULL_SCALE: Final = np.float32(32768)
# Of full scale. Below it is what a microphone gives that nobody speaks into.
_LEAST_PEAK: Final = 0.01
_NAME: Final = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")


@dataclass(kw_only=True, frozen=True, slots=True, eq=False)
class Reference:
    """Somebody's voice, as it was recorded.

    Attributes:
        name: The file's name without its ending.
        samples: The recording, float32 of shape (samples,) in -1 to 1, mono at 24 kHz.
        sha256: The digest of the file.
    """

    name: str
    samples: NDArray[np.float32]
    sha256: str


def read_references(folder: Path | None) -> list[Reference]:
    """Reads the recordings of a folder, by name. Blocks.

    Args:
        folder: Where they are: NAME.wav or NAME.flac, of 5 to 30 s each.

    Raises:
        StageError: FAILED_PRECONDITION with REFERENCE_VOICE_INVALID.
    """
    if folder is None or not folder.is_dir():
        stated = f"{folder} is no folder" if folder else "it is not set"
        raise _invalid(
            f"The engine chatterbox speaks with the voices of recordings in {VARIABLE}, and "
            f"{stated}; put a WAV or FLAC file of 5 to 30 s of each voice into a folder and name "
            "it there."
        )
    paths = sorted(path for path in folder.iterdir() if path.suffix.lower() in ENDINGS)
    if not paths:
        raise _invalid(f"There is no WAV or FLAC file in {folder}, which {VARIABLE} names.")
    found = [_read(path) for path in paths]
    names = [each.name for each in found]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise _invalid(f"Two files in {folder} are of the voice {twice[0]}; leave one there.")
    return found


def _read(path: Path) -> Reference:
    if not _NAME.fullmatch(path.stem):
        raise _invalid(
            f"The voice of {path} cannot have this name; rename the file to small letters a to z, "
            "digits, - and _, up to 64 of them."
        )
    try:
        parts = [*_decoded(path)]
    except (OSError, av.FFmpegError) as error:
        raise _invalid(f"{path} cannot be read as audio; save it as WAV or FLAC again.") from error
    samples = np.concatenate(parts) if parts else np.zeros(0, np.float32)
    seconds = len(samples) / RATE
    if not LEAST_SECONDS <= seconds <= MOST_SECONDS:
        length = f"more than {MOST_SECONDS:g} s" if seconds > MOST_SECONDS else f"{seconds:.1f} s"
        raise _invalid(
            f"{path} is {length} long; cut it to {LEAST_SECONDS:g} to {MOST_SECONDS:g} s in which "
            "only this person speaks."
        )
    if np.abs(samples).max() < _LEAST_PEAK:
        raise _invalid(f"Nobody speaks in {path}; record it again, louder.")
    return Reference(name=path.stem, samples=samples, sha256=file_sha256(path))


def _decoded(path: Path) -> Iterator[NDArray[np.float32]]:
    """The recording in parts; of one that is too long, a second more than is allowed."""
    # Channels of whole numbers become one without getting louder.
    resampler = AudioResampler(format="s16", layout="mono", rate=RATE)
    with av.open(path, "r") as container:
        if not container.streams.audio:
            return
        for frame in [*_frames(container), None]:
            for each in resampler.resample(frame):
                yield each.to_ndarray()[0].astype(np.float32) / _FULL_SCALE


def _frames(container: Any) -> Iterator[Any]:
    for frame in container.decode(audio=0):
        if frame.time is not None and frame.time > MOST_SECONDS + 1:
            return
        yield frame


def _invalid(message: str) -> StageError:
    return StageError(Code.FAILED_PRECONDITION, Reason.REFERENCE_VOICE_INVALID, message)
