"""One real mesh for all tests of a run, and the command to talk to it."""

from __future__ import annotations

import os
import signal
import subprocess
import wave
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import av
import pytest

from maie_cli.mesh.layout import Layout
from tests.browser import browser, page  # noqa: F401 - fixtures
from tests.cli import command
from tests.cli.command import MAIE
from tests.planted_secrets.planting import Planted, plant_in_a_mesh

ROOT = Path(__file__).parents[2]
SAMPLE = ROOT / "samples" / "standup.flac"
SAMPLE_RATE = 16_000
READY = "maie is ready"
STOP_SECONDS = 120

Run = Callable[..., subprocess.CompletedProcess[str]]
# However busy a machine is, a recording has the report of its sound.
UNHURRIED = {"MAIE_GATEWAY_OPTIONAL_GRACE_SECONDS": "600"}


@dataclass(kw_only=True, frozen=True)
class RunningMesh:
    """A `maie up` that is ready.

    Attributes:
        process: The supervisor.
        layout: The mesh's folder.
        gateway: HOST:PORT of the gateway.
    """

    process: subprocess.Popen[str]
    layout: Layout
    gateway: str

    def pids(self) -> dict[str, int]:
        """The process ids of the parts that run right now, by name."""
        return self.layout.pids()

    def stop(self) -> int:
        """Stops the mesh in order; gives the supervisor's exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(STOP_SECONDS)


def environment() -> dict[str, str]:
    """The tests' own environment without a person's settings, but for where models are."""
    return {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("MAIE_") or name == "MAIE_MODELS_DIR"
    }


def start_mesh(data: Path, *options: str, **variables: str) -> RunningMesh:
    """Starts `maie up` on free ports, with these variables, and waits until it is ready."""
    log = data.with_name(f"{data.name}.log")
    with log.open("w") as output:
        process = subprocess.Popen(
            [str(MAIE), "up", "--data", str(data), "--port-base", "0", *options],
            stdout=subprocess.PIPE,
            stderr=output,
            text=True,
            env=environment() | UNHURRIED | variables,
        )
    assert process.stdout is not None
    if not any(READY in line for line in process.stdout):
        with process:
            raise AssertionError(f"maie up ended with {process.wait()}: {log.read_text()}")
    layout = Layout(data)
    gateway = layout.address_file("gateway").read_text()
    return RunningMesh(process=process, layout=layout, gateway=gateway)


@pytest.fixture(scope="session")
def templates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the shared mesh's own templates; each test leaves it empty."""
    return tmp_path_factory.mktemp("templates")


@pytest.fixture(scope="session")
def planted() -> Planted:
    """The secrets in the variables of the shared mesh."""
    return plant_in_a_mesh()


@pytest.fixture(scope="session")
def shared_mesh(
    templates: Path, planted: Planted, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RunningMesh]:
    """A mesh that all tests share: each leaves it as it was.

    Its ASR engine is the one of packages alone, which reads the sample's voices well and quickly.
    """
    data = tmp_path_factory.mktemp("mesh") / "data"
    variables = {
        **planted.environment,
        "MAIE_TEMPLATES_DIRECTORY": str(templates),
        "MAIE_METRICS_LISTEN": "127.0.0.1:0",
    }
    running = start_mesh(data, "--profile", "tiny", **variables)
    with running.process:
        yield running
        running.stop()


@pytest.fixture(scope="session")
def maie(shared_mesh: RunningMesh) -> Run:
    """Runs the `maie` command against the mesh."""

    def run(
        *arguments: object, gateway: str = shared_mesh.gateway
    ) -> subprocess.CompletedProcess[str]:
        code, output, errors = command.run(*arguments, environment={"MAIE_GATEWAY": gateway})
        return subprocess.CompletedProcess([str(MAIE), *map(str, arguments)], code, output, errors)

    return run


@pytest.fixture(scope="session")
def short_recording(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sample's first 9 seconds: two sentences, quick to recognise."""
    path = tmp_path_factory.mktemp("recordings") / "two sentences.wav"
    write_wav(path, sample_audio(9.0))
    return path


def sample_audio(seconds: float) -> bytes:
    """The sample's start as 16 kHz mono s16."""
    resampler = av.AudioResampler(format="s16", layout="mono", rate=SAMPLE_RATE)
    audio = bytearray()
    with av.open(str(SAMPLE)) as container:
        for frame in container.decode(audio=0):
            for piece in resampler.resample(frame):
                audio += piece.to_ndarray().tobytes()
            if len(audio) >= seconds * SAMPLE_RATE * 2:
                break
    return bytes(audio[: int(seconds * SAMPLE_RATE) * 2])


def write_wav(path: Path, audio: bytes) -> None:
    """Writes 16 kHz mono s16 as WAV."""
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(SAMPLE_RATE)
        file.writeframes(audio)
