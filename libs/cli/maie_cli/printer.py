"""Writes the results of `maie process` to files or standard output."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from maie_cli.batch import Outcome
from maie_cli.console import complain, emit, note, warn
from maie_cli.exits import Exit, os_sentence
from maie_cli.files import Names, ResultError, ResultFolder
from maie_cli.recordings import Recording
from maie_formats.as_json import to_json
from maie_formats.warnings import sentences
from maie_formats.writers import WRITERS, Finished, fitting_formats


class Printer:
    """Writes results to files or standard output.

    Args:
        recordings: The recordings, in command-line order.
        folder: The folder for files; unset: standard output.
        format_: The only format; unset: all applicable ones.
        as_json: Whether each job is printed as JSON, in addition to the files.
        transcribed: Whether there are transcripts.
        speakers: Whether it is said who speaks.
    """

    def __init__(
        self,
        recordings: Sequence[Recording],
        folder: Path | None,
        format_: str | None,
        *,
        as_json: bool,
        transcribed: bool,
        speakers: bool,
    ) -> None:
        names = Names()
        self._recordings = recordings
        self._names = [names.of(each.path) for each in recordings]
        self._folder = ResultFolder(folder) if folder is not None else None
        self._format = format_
        self._as_json = as_json
        self._transcribed = transcribed
        self._speakers = speakers
        self._written: list[Path] = []
        self._complaints: set[str] = set()

    @property
    def _one_of_many(self) -> bool:
        return len(self._recordings) > 1

    def name(self, at: int) -> str:
        """The name of a recording's files, without their endings."""
        return self._names[at]

    def blocked(self) -> list[Outcome | None]:
        """Checks that the results of each recording can be written, before the work.

        Raises:
            ResultError: No file at all can be written into the folder.
        """
        if self._folder is None:
            return [None for _ in self._recordings]
        self._folder.create()
        return [self._blocked(at) for at in range(len(self._recordings))]

    def show(self, at: int, outcome: Outcome, *, warnings: bool) -> Exit:
        """Writes a recording's results, and its errors to stderr.

        Args:
            at: The number of the recording, from 0.
            outcome: The recording's outcome.
            warnings: Whether to print warnings about the results.

        Returns:
            The recording's exit code.
        """
        code, finished = outcome.code, outcome.finished
        if finished is not None:
            if warnings:
                self._warn(finished)
            code = max(code, self._show_results(at, finished))
        if outcome.audio is not None:
            self._written.append(outcome.audio)
        if outcome.message:
            self._complain(outcome.recording, outcome.code, outcome.message)
        return code

    def list_files(self) -> None:
        """Prints which files were written."""
        for path in self._written:
            (note if self._as_json else emit)(str(path))

    def _blocked(self, at: int) -> Outcome | None:
        assert self._folder is not None
        try:
            formats = self._formats(transcribed=self._transcribed, speakers=self._speakers)
            self._folder.check(self._names[at], formats)
        except ResultError as error:
            return Outcome(
                recording=self._recordings[at], code=Exit.USAGE, message=os_sentence(error)
            )
        return None

    def _show_results(self, at: int, finished: Finished) -> Exit:
        code = Exit.OK
        if self._folder is not None:
            code = self._write(at, finished, self._folder)
        if self._as_json or (self._folder is None and self._format == "json"):
            emit(to_json(finished.job))
        elif self._folder is None and finished.is_readable:
            if self._one_of_many and self._format == "txt":
                emit(f"==> {finished.name} <==")
            emit(WRITERS[self._format or "md"](finished))
        return code

    def _write(self, at: int, finished: Finished, folder: ResultFolder) -> Exit:
        code = Exit.OK
        for format_ in self._formats(
            transcribed=finished.is_transcribed, speakers=finished.has_speakers
        ):
            if format_ != "json" and not finished.is_readable:
                continue
            try:
                self._written.append(folder.write(finished, self._names[at], format_))
            except ResultError as error:
                code = Exit.USAGE
                self._complain(self._recordings[at], code, os_sentence(error))
        return code

    def _formats(self, *, transcribed: bool, speakers: bool) -> list[str]:
        if self._format and not self._as_json:
            return [self._format]
        return fitting_formats(transcribed=transcribed, speakers=speakers)

    def _warn(self, finished: Finished) -> None:
        for sentence in sentences(finished.job.results):
            warn(f"{finished.name}: {sentence}" if self._one_of_many else sentence)

    def _complain(self, recording: Recording, code: Exit, message: str) -> None:
        about_file = self._one_of_many and code is not Exit.UNREACHABLE
        line = f"{recording}: {message}" if about_file else message
        if line not in self._complaints:
            self._complaints.add(line)
            complain(line)
