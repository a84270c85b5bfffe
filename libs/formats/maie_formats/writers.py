"""The formats by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec

from maie.job.v1 import job_pb2 as job
from maie.summary.v1 import summary_pb2 as summary
from maie_formats.as_json import to_json
from maie_formats.fonts import PACKAGES
from maie_formats.markdown import markdown
from maie_formats.rttm import rttm
from maie_formats.subtitles import srt, vtt
from maie_formats.table import tsv
from maie_formats.transcript import paragraphs


@dataclass(kw_only=True, frozen=True, slots=True)
class Finished:
    """A job with the data for its formats.

    Attributes:
        job: The job with its results.
        name: The recording's display name.
        template: The template of the summary; unset without a summary.
    """

    job: job.Job
    name: str
    template: summary.Template | None = None

    @property
    def is_transcribed(self) -> bool:
        """Whether there is a transcript, even an empty one."""
        results = self.job.results
        return results.HasField("raw_transcript") or results.HasField("clean_transcript")

    @property
    def has_speakers(self) -> bool:
        """Whether it is known who speaks when."""
        return bool(self.job.results.speakers)

    @property
    def is_readable(self) -> bool:
        """Whether there are results. A job that failed early has none."""
        if self.job.state == job.JOB_STATE_COMPLETE:
            return True
        results = self.job.results
        return bool(paragraphs(results)) or results.HasField("summary")


def _text(finished: Finished) -> str:
    return "".join(f"{text}\n\n" for text in paragraphs(finished.job.results)).rstrip("\n") + "\n"


@dataclass(kw_only=True, frozen=True, slots=True)
class _Document:
    """A format whose libraries may be missing: the module and name of its writer, what it needs."""

    writer: tuple[str, str]
    needs: tuple[str, ...]


TRANSCRIPT_FORMATS = ("txt", "srt", "vtt", "tsv")
"""The formats that contain only the transcript."""
SPEAKER_FORMATS = ("rttm",)
"""The formats that contain only who speaks when."""
WRITERS: Mapping[str, Callable[[Finished], str]] = {
    "txt": _text,
    "json": lambda finished: to_json(finished.job, indent=2) + "\n",
    "srt": lambda finished: srt(finished.job.results),
    "vtt": lambda finished: vtt(finished.job.results),
    "tsv": lambda finished: tsv(finished.job.results),
    "md": lambda finished: markdown(finished.job.results, finished.name, finished.template),
    "rttm": lambda finished: rttm(finished.job.results, finished.name),
}
"""The writer of each format of text by its name, which is also the file's extension."""
_DOCUMENTS: Mapping[str, _Document] = {
    "docx": _Document(writer=("maie_formats.word", "word"), needs=("docx",)),
    "pdf": _Document(writer=("maie_formats.pdf", "pdf"), needs=("typst", "uharfbuzz", *PACKAGES)),
}
DOCUMENT_FORMATS = tuple(_DOCUMENTS)
"""The formats for files only, whose libraries may be missing."""


def fitting_formats(*, transcribed: bool, speakers: bool) -> list[str]:
    """The formats of text that have something to show.

    Args:
        transcribed: Whether there is a transcript.
        speakers: Whether it is known who speaks when.
    """
    without = (() if transcribed else TRANSCRIPT_FORMATS) + (() if speakers else SPEAKER_FORMATS)
    return [name for name in WRITERS if name not in without]


class MissingLibraryError(Exception):
    """The library of a format is not installed; says how to install it."""


def check_format(format_: str) -> None:
    """Checks that a format can be written here.

    Raises:
        MissingLibraryError: Its library is not installed.
    """
    needs = _DOCUMENTS[format_].needs if format_ in _DOCUMENTS else ()
    if missing := [name for name in needs if find_spec(name) is None]:
        raise MissingLibraryError(
            f"The format {format_} needs {', '.join(missing)}; install what it needs with "
            f"pip install 'maie-formats[{format_}]'"
        )


def written(finished: Finished, format_: str) -> bytes:
    """A job in a format, as the content of a file.

    Raises:
        MissingLibraryError: The format's library is not installed.
    """
    if format_ in WRITERS:
        return WRITERS[format_](finished).encode(errors="replace")
    check_format(format_)
    module, name = _DOCUMENTS[format_].writer
    write = getattr(import_module(module), name)
    made: bytes = write(finished.job.results, finished.name, finished.template)
    return made
