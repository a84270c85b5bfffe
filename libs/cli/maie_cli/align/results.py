"""Writes what is known of a reading: reports, and clips."""

from __future__ import annotations

import asyncio
import hashlib
import os
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from urllib.parse import quote

import obstore
from obstore.store import ObjectStore

from maie_cli.align.retries import again
from maie_cli.clips.cutting import ClipFormat
from maie_cli.clips.saving import Put, save_clips
from maie_cli.files import ResultFolder, safe_name
from maie_formats.readings.phrases import phrases
from maie_formats.readings.report import ReadingReport
from maie_formats.readings.writers import READING_WRITERS

_DIGITS = 8


@dataclass(kw_only=True, frozen=True, slots=True)
class Results:
    """Where results go.

    Attributes:
        folder: The folder of the reports; None for none.
        clip_format: The format of the clips; None for no clips.
        clips: The store of the clips; None for no clips.
    """

    folder: Path | None
    clip_format: ClipFormat | None = None
    clips: ObjectStore | None = None

    async def save(self, report: ReadingReport, recording: Path, name: str, *, kept: bool) -> None:
        """Writes all of a reading.

        Args:
            report: The reading.
            recording: Its recording.
            name: What the names of its files begin with.
            kept: Whether the recording stays where it is, so that the page can play it.

        Raises:
            ClipError: The recording cannot be cut.
            ResultError: A report cannot be written.
            BaseError: A clip cannot be stored.
        """
        if self.clips is not None and self.clip_format is not None:
            put = _put(self.clips)
            found = phrases(report.reading)
            await save_clips(recording, found, self.clip_format, put, f"{name}/")
        if self.folder is not None:
            audio = _relative(recording, self.folder) if kept else ""
            await asyncio.to_thread(self._write, replace(report, audio=audio), name, self.folder)

    def _write(self, report: ReadingReport, name: str, folder: Path) -> None:
        files = ResultFolder(folder)
        for extension, write in READING_WRITERS.items():
            files.put(f"{name}.{extension}", write(report).encode(errors="replace"))


def unique_name(recording: str) -> str:
    """A name for the files of one recording of many, the same in each run."""
    digest = hashlib.sha256(recording.encode(errors="surrogateescape")).hexdigest()
    return f"{safe_name(PurePosixPath(recording).stem)}-{digest[:_DIGITS]}"


def _put(store: ObjectStore) -> Put:
    async def put(name: str, content: bytes) -> None:
        await again(lambda: obstore.put_async(store, name, content))

    return put


def _relative(recording: Path, folder: Path) -> str:
    return quote(os.path.relpath(recording, folder))
