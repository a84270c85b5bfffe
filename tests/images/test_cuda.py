"""The images for NVIDIA's GPUs, as far as a machine without one can try them."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from maie_runtime.bus.provision import open_provisioned_broker
from tests.conftest import NatsServer
from tests.containers.engine import podman_environment, problem

pytestmark = pytest.mark.mesh

ROOT = Path(__file__).parents[2]
VERSION = (ROOT / "VERSION").read_text().strip()
MODELS = ROOT / "tests/models"
# What comes with the driver, which a GPU's node has.
OF_THE_DRIVER = {"libcuda.so.1", "libnvidia-ml.so.1", "libnvcuvid.so.1"}
# Whisper's engine, and the language models'.
SETTINGS = {
    "asr": {
        "MAIE_ASR_ENGINE": "whisper",
        "MAIE_ASR_LIVE_TRACKS": "0",
        "MAIE_ASR_WHISPER_DEVICE": "cuda",
        "MAIE_ASR_WHISPER_MODEL_PATH": "/models/tiny-whisper",
    },
    "enhancement": {
        "MAIE_ENHANCEMENT_ENGINE": "vllm",
        "MAIE_ENHANCEMENT_VLLM_MODEL_PATH": "/models/tiny-qwen3",
    },
    "summary": {
        "MAIE_SUMMARY_ENGINE": "vllm",
        "MAIE_SUMMARY_VLLM_MODEL_PATH": "/models/tiny-qwen3",
    },
}
WITH_VLLM = ["enhancement", "summary"]
# Has the dynamic loader list what each binary is linked to, and prints what it does not find.
MISSING = """
import pathlib, subprocess
missing = set()
for file in pathlib.Path("/opt/maie").rglob("*.so*"):
    if file.open("rb").read(4) == b"\\x7fELF":
        listed = subprocess.run(
            ["/lib64/ld-linux-x86-64.so.2", "--list", file], capture_output=True, text=True
        )
        missing |= {line.split()[0] for line in listed.stdout.splitlines() if "not found" in line}
print(*sorted(missing))
"""
TRITON = """
from triton.runtime.build import compile_module_from_src
source = '''
#include <Python.h>
static struct PyModuleDef definition = {PyModuleDef_HEAD_INIT, "made", NULL, -1, NULL};
PyMODINIT_FUNC PyInit_made(void) { return PyModule_Create(&definition); }
'''
print(compile_module_from_src(source, "made").__name__)
"""


@pytest.fixture(params=sorted(SETTINGS))
def part(request: pytest.FixtureRequest) -> str:
    """A part whose image for GPUs is here."""
    if missing := problem():
        pytest.skip(missing)
    if _podman("image", "exists", _image(request.param)).returncode:
        pytest.skip(f"there is no {_image(request.param)}: make images VARIANT=cuda")
    return str(request.param)


def _image(part: str) -> str:
    return f"localhost/maie-{part}:{VERSION}-cuda"


def _podman(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["podman", *arguments],
        env=podman_environment(),
        capture_output=True,
        text=True,
        check=False,
    )


def _run(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Runs an image as a pod does: nothing may be written but /tmp."""
    return _podman("run", "--rm", "--read-only", "--cap-drop", "all", *arguments)


def _python(part: str, code: str) -> list[str]:
    done = _run("--network", "none", "--entrypoint", "python3", _image(part), "-I", "-c", code)
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


def test_all_that_it_is_linked_to_is_there_but_the_driver(part: str) -> None:
    assert set(_python(part, MISSING)) <= OF_THE_DRIVER


def test_it_runs_without_a_gpu_and_knows_it(part: str) -> None:
    code = "import ctranslate2 as it; print(it.get_cuda_device_count())"
    if part in WITH_VLLM:
        code = "import torch as it; print(it.cuda.device_count())"
    assert _python(part, code) == ["0"]


def test_the_loader_finds_what_whisper_loads_by_name(part: str) -> None:
    if part in WITH_VLLM:
        pytest.skip("PyTorch names its libraries itself")
    code = "import ctypes; print(ctypes.CDLL('libcublas.so.12').cublasGetVersion_v2)"
    assert _python(part, code)


def test_triton_has_a_compiler(part: str) -> None:
    if part not in WITH_VLLM:
        pytest.skip("no Triton")
    assert _python(part, TRITON) == ["made"]


async def test_a_service_without_a_gpu_ends_and_says_so(part: str, nats_server: NatsServer) -> None:
    settings = {
        "MAIE_NATS_URL": nats_server.url,
        "MAIE_BLOB_URL": "file:///tmp/objects",
        f"MAIE_{part.upper()}_RPC": "off",
        **SETTINGS[part],
    }
    environment = [word for pair in settings.items() for word in ("--env", "=".join(pair))]
    async with open_provisioned_broker(nats_server.url, "test"):
        done = _run(
            "--network",
            "host",
            "--volume",
            f"{MODELS}:/models:ro",
            *environment,
            _image(part),
        )
    assert done.returncode == 1, done.stderr
    logged = [json.loads(line) for line in done.stderr.splitlines() if line.startswith("{")]
    failures = [each for each in logged if each["level"] in ("error", "critical")]
    assert [each["event"] for each in failures] == ["service.failed"], done.stderr
    assert failures[0]["reason"] == "DEVICE_UNAVAILABLE"
    assert "GPU" in failures[0]["error"]
