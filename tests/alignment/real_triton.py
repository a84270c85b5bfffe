"""NVIDIA's Triton itself, from the environment of `make test-triton`; in it, Python runs ONNX."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.certificates import TestCa
from tests.conftest import free_port
from tests.waiting import PATIENCE_SECONDS

ENVIRONMENT = Path(__file__).parents[2] / ".venv-triton"
BIN = ENVIRONMENT / "bin"
PACKAGES = ENVIRONMENT / "lib/python3.11/site-packages"
TRITON = PACKAGES / "pytriton/tritonserver"
PROGRAM = TRITON / "bin/tritonserver"
needs_triton = pytest.mark.skipif(not PROGRAM.exists(), reason="make test-triton runs it")
READY = b"Started GRPCInferenceService"

Inputs = Mapping[str, tuple[str, str]]
"""The type and the dimensions of inputs, as in a configuration of Triton."""

BACKEND = """
import json

import numpy as np
import onnxruntime
import triton_python_backend_utils as triton


class TritonPythonModel:
    def initialize(self, args):
        config = json.loads(args["model_config"])
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        path = config["parameters"]["path"]["string_value"]
        self.session = onnxruntime.InferenceSession(path, options)
        self.ranks = {each.name: len(each.shape) for each in self.session.get_inputs()}
        self.output = config["output"][0]["name"]

    def execute(self, requests):
        made = []
        for request in requests:
            feed = {}
            for name, rank in self.ranks.items():
                value = triton.get_input_tensor_by_name(request, name).as_numpy()
                feed[name] = value.reshape(value.shape[:rank])
            (found,) = self.session.run([self.output], feed)
            tensor = triton.Tensor(self.output, found.astype(np.float32))
            made.append(triton.InferenceResponse([tensor]))
        return made
"""


@dataclass(kw_only=True, frozen=True)
class Model:
    """A model in Triton.

    Attributes:
        path: The file of ONNX.
        batch: The most rows of a batch; 0: the model has the batch among its dimensions.
        inputs: What it takes.
        output: The name of what it gives, and the dimensions.
    """

    path: Path
    batch: int
    inputs: Inputs
    output: tuple[str, str]

    def write(self, folder: Path) -> None:
        """Writes it where Triton looks for it, as version 1."""
        (folder / "1").mkdir(parents=True)
        (folder / "1/model.py").write_text(BACKEND, encoding="utf-8")
        inputs = ", ".join(
            f'{{ name: "{name}" data_type: {kind} dims: {dims} }}'
            for name, (kind, dims) in self.inputs.items()
        )
        name, dims = self.output
        config = f"""
backend: "python"
max_batch_size: {self.batch}
input [ {inputs} ]
output [ {{ name: "{name}" data_type: TYPE_FP32 dims: {dims} }} ]
parameters {{ key: "path" value {{ string_value: "{self.path}" }} }}
instance_group [ {{ kind: KIND_CPU }} ]
"""
        (folder / "config.pbtxt").write_text(config, encoding="utf-8")


@asynccontextmanager
async def triton_serving(
    folder: Path, models: Mapping[str, Model], ca: TestCa, *options: str, port: int = 0
) -> AsyncIterator[tuple[str, asyncio.subprocess.Process]]:
    """Runs Triton with TLS; gives its address and its process.

    Args:
        folder: An empty folder.
        models: The models, by name.
        ca: Signs its certificate, and those of its callers.
        options: What else is on its command line.
        port: Its port; 0: a free one.
    """
    port = port or free_port()
    for name, model in models.items():
        model.write(folder / "models" / name)
    backend = folder / "backends/python"
    backend.mkdir(parents=True)
    for each in (*(TRITON / "backends/python").iterdir(), _stub()):
        (backend / each.name).symlink_to(each)
    ca.files("triton")
    paths = ca.paths("triton")
    process = await asyncio.create_subprocess_exec(
        *(str(PROGRAM), f"--model-repository={folder / 'models'}"),
        f"--backend-directory={folder / 'backends'}",
        *("--allow-http=false", "--allow-metrics=false"),
        *("--grpc-address=127.0.0.1", f"--grpc-port={port}", "--grpc-use-ssl=true"),
        f"--grpc-server-cert={paths['certificate']}",
        f"--grpc-server-key={paths['key']}",
        f"--grpc-root-cert={ca.ca_file}",
        *options,
        env={**os.environ, "PYTHONPATH": str(PACKAGES), "PATH": f"{BIN}:{os.environ['PATH']}"},
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        said = await _until_ready(process)
        reading = asyncio.create_task(_read_on(process))
        assert READY in said, said.decode(errors="replace")
        yield f"127.0.0.1:{port}", process
        reading.cancel()
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


def _stub() -> Path:
    stub = TRITON / "python_backend_stubs/3.11/triton_python_backend_stub"
    stub.chmod(0o755)
    return stub


async def _until_ready(process: asyncio.subprocess.Process) -> bytes:
    assert process.stderr is not None
    said = b""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while READY not in said and (line := await process.stderr.readline()):
            said += line
    return said


async def _read_on(process: asyncio.subprocess.Process) -> None:
    """So that it never waits for a reader."""
    assert process.stderr is not None
    while await process.stderr.readline():
        pass
