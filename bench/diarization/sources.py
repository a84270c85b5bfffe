"""Recordings that others publish: fetched once, by the commit that has them."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from bench.meshes import ROOT

CACHE = ROOT / ".cache" / "diarization"


class NotFetchedError(Exception):
    """A source cannot be reached."""


@dataclass(kw_only=True, frozen=True, slots=True)
class Source:
    """A folder of a repository.

    Attributes:
        name: Its folder in the cache.
        url: The repository.
        commit: The commit; git checks that what comes is what this commit has.
        folder: The folder in it.
        licence: Under which its recordings may be used, and whose they are.
    """

    name: str
    url: str
    commit: str
    folder: str
    licence: str


VOICES = Source(
    name="voices",
    url="https://github.com/resemble-ai/Resemblyzer",
    commit="15d828edebe06bc72b9cabc8ef8ca5ab2cb457ce",
    folder="audio_data/librispeech_test-other",
    licence="ten speakers of LibriSpeech (Vassil Panayotov, CC BY 4.0)",
)
MEETINGS = Source(
    name="meetings",
    url="https://github.com/pyannote/pyannote-audio",
    commit="b749285c5cdd4636b2edc7f766f1352c8dde9369",
    folder="tests/data",
    licence="excerpts of half a minute of the AMI Meeting Corpus (CC BY 4.0)",
)


def fetched(source: Source) -> Path:
    """The folder with a source's files; fetches it with git where it is not there yet.

    Raises:
        NotFetchedError: The repository cannot be reached, or has no such commit.
    """
    place = CACHE / source.name
    if not place.exists():
        unfinished = place.with_name(f"{source.name}.part")
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(parents=True)
        _git(unfinished, source, "init", "--quiet")
        _git(unfinished, source, "sparse-checkout", "set", source.folder)
        _git(unfinished, source, "remote", "add", "origin", source.url)
        part = ("--depth=1", "--filter=blob:none", "origin", source.commit)
        _git(unfinished, source, "fetch", "--quiet", *part)
        _git(unfinished, source, "checkout", "--quiet", source.commit)
        unfinished.rename(place)
    return place / source.folder


def _git(place: Path, source: Source, *arguments: str) -> None:
    done = subprocess.run(["git", *arguments], cwd=place, capture_output=True, text=True)
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["git gave no reason"])[-1]
        raise NotFetchedError(f"{source.url} cannot be fetched ({last})")
