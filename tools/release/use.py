"""Uses an installed maie as its users do."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Timer

from tools.release.clean_install import COMMAND_SECONDS, Installed

READY = "maie is ready"
GATEWAY = re.compile(r"^gateway +(\S+:\d+) ")
RESULTS = {f"speech.{name}" for name in ("json", "md", "srt", "txt", "vtt")}
JOBS = 2
# Its engines have their models in packages.
PROFILE = ("--profile", "tiny")


def use_problems(installed: Installed, version: str) -> Iterator[str]:
    """The command says its version, `maie demo` makes all results, `maie up` serves jobs.

    Raises:
        CalledProcessError: A command failed; the error has its output.
        TimeoutExpired: A command hangs.
    """
    said = installed.run("maie", "--version").strip()
    if said != f"maie {version}":
        yield f"maie --version says {said!r}."
    results = installed.home / "results"
    installed.run("maie", "demo", installed.recording, *PROFILE, "--output", results)
    for name in sorted(RESULTS - {path.name for path in results.iterdir()}):
        yield f"maie demo wrote no {name}."
    with _up(installed) as gateway:
        load = ("load", installed.recording, "-n", str(JOBS), "-c", "1", "--json", "-q")
        done = json.loads(installed.run("maie", *load, "--gateway", gateway))
    if done["complete"] != JOBS:
        yield f"maie up completed {done['complete']} of {JOBS} jobs."


@contextmanager
def _up(installed: Installed) -> Iterator[str]:
    """A mesh of `maie up`; gives the address of its gateway."""
    data = installed.home / "mesh"
    command = installed.command("maie", "up", "--data", data, "--port-base", "0", *PROFILE)
    process = subprocess.Popen(
        command,
        cwd=installed.home,
        env=installed.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    hangs = Timer(COMMAND_SECONDS, process.kill)
    hangs.start()
    try:
        yield _gateway(process, command)
    finally:
        process.terminate()
        # It ends after its parts.
        output, _ = process.communicate()
        hangs.cancel()
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command, output)


def _gateway(process: subprocess.Popen[str], command: list[str]) -> str:
    """Waits until the mesh is ready.

    Raises:
        CalledProcessError: It ends before; the error has its output.
    """
    assert process.stdout is not None
    lines: list[str] = []
    for line in process.stdout:
        lines.append(line)
        if READY in line:
            (address,) = [found[1] for each in lines if (found := GATEWAY.match(each))]
            return address
    raise subprocess.CalledProcessError(process.wait(), command, "".join(lines))
