"""The parts run as the chart says: its variables, Secrets, probes and Jobs, as processes here.

Paths and addresses are those of this machine; all else is as it is rendered. `helm test` is run,
too: a recording goes through gateway, preprocess, asr and enhancement, with TLS and an API key. The
web part answers over HTTP.
"""

from __future__ import annotations

import asyncio
import json
import os
import shlex
import shutil
import ssl
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest

from maie_core.api_keys import BOOTSTRAP_ID, new_key
from maie_runtime.bus.seeds import seed_file
from maie_runtime.vault.key_file import new_line
from tests.conftest import free_port
from tests.helm.parts import part_of
from tests.helm.rendering import CHART, RELEASE, Object, containers, objects, pods, variables
from tests.helm.servers import Cluster, cluster, write_certificate
from tests.waiting import PATIENCE_SECONDS

pytestmark = pytest.mark.mesh

BOOT = {"MAIE_GATEWAY_BOOTSTRAP_KEY_FILE": {"secret": "maie-test-key", "key": "key"}}
OPTIONS = (
    # The engine with a model in its package.
    *("--set", "components.asr.settings.MAIE_ASR_ENGINE=pocketsphinx,components.asr.models=false"),
    *("--set", "components.asr.settings.MAIE_ASR_SLOTS=1,models.source=none"),
    *("--set", "components.summary.enabled=false"),
    *("--set-json", f"components.gateway.secretFiles={json.dumps(BOOT)}"),
)
PORTS = ("50051", "8080", "9464")
READ_BY_GROUP = 0o440


@dataclass(kw_only=True)
class Node:
    """This machine in place of a cluster's node.

    Attributes:
        folder: For all files.
        nats: The servers.
        ports: The ports here for the ports of each pod.
    """

    folder: Path
    nats: Cluster
    ports: dict[tuple[str, str], int] = field(default_factory=dict)

    def secret(self, name: str) -> Path:
        """The folder of a Secret, which is made at first."""
        target = self.folder / "secrets" / name
        if target.exists():
            return target
        part = name.rpartition("-")[2]
        if name.startswith("maie-tls-"):
            write_certificate(self.nats.ca, part, target)
        else:
            target.mkdir(parents=True)
        if name.startswith("maie-nkey-"):
            shutil.copy(seed_file(self.nats.seeds, part), target / "seed")
        elif name == "maie-test-key":
            (target / "key").write_text(new_key(BOOTSTRAP_ID).text)
        elif name == "maie-web-session":
            (target / "session.key").write_text(new_line())
        for file in target.iterdir():
            file.chmod(READ_BY_GROUP)
        return target

    def here(self, part: str, pod: Object, text: str) -> str:
        """A variable or an argument of a pod, with the paths and addresses of this machine."""
        volumes = {each["name"]: each for each in pod["spec"]["volumes"]}
        (container,) = containers(pod)
        for mount in container["volumeMounts"]:
            volume = volumes[mount["name"]]
            if "secret" in volume:
                at = str(self.secret(volume["secret"]["secretName"]))
            elif mount["name"] == "recording":
                at = str(CHART / "files")
            else:
                shared = mount["name"] == "objects"
                at = str(self.folder / ("" if shared else part) / mount["name"])
            text = text.replace(f"{mount['mountPath']}/", f"{at}/")
        for port in PORTS:
            number = self.ports.setdefault((part, port), free_port())
            text = text.replace(f"0.0.0.0:{port}", f"127.0.0.1:{number}")
        gateway = self.ports.setdefault(("gateway", "50051"), free_port())
        for service in (f"{RELEASE}-maie-gateway", f"{RELEASE}-maie-gateway-headless"):
            text = text.replace(f"{service}:50051", f"localhost:{gateway}")
        return text

    def environment(self, part: str, pod: Object) -> dict[str, str]:
        """The variables of a pod, and none of this machine's."""
        (container,) = containers(pod)
        found = {
            name: self.here(part, pod, value)
            if value != "file:///var/lib/maie/blobs"
            else (self.folder / "objects").as_uri()
            for name, value in variables(container).items()
        }
        if "MAIE_NATS_URL" in found:
            found["MAIE_NATS_URL"] = self.nats.url
        (self.folder / part / "tmp").mkdir(parents=True, exist_ok=True)
        # As the image has them.
        return {**found, "HOME": str(self.folder / part / "tmp"), "PATH": os.environ["PATH"]}


@asynccontextmanager
async def _running(node: Node, part: str, pod: Object) -> AsyncIterator[None]:
    """A part, from when its startup probe succeeds until it has ended by SIGTERM."""
    environment = node.environment(part, pod)
    log = node.folder / f"{part}.log"
    with log.open("wb") as output:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", f"maie_{part}"), env=environment, stdout=output, stderr=output
        )
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            while await _probed(node, part, pod, "startupProbe"):
                assert process.returncode is None, log.read_text()
                await asyncio.sleep(0.2)
        assert not await _probed(node, part, pod, "livenessProbe")
        yield
    finally:
        if process.returncode is None:
            process.terminate()
        status = await process.wait()
    assert status == 0, log.read_text()


async def _probed(node: Node, part: str, pod: Object, probe: str) -> int:
    """The exit code of a probe."""
    command = [node.here(part, pod, word) for word in containers(pod)[0][probe]["exec"]["command"]]
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, *command[1:]), stderr=asyncio.subprocess.DEVNULL
    )
    return await process.wait()


async def _command(node: Node, part: str, pod: Object) -> str:
    """What `maie` prints in a pod that runs to its end."""
    (container,) = containers(pod)
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "maie_cli"),
        *(node.here(part, pod, each) for each in container["args"]),
        env=node.environment(part, pod),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    output, errors = await process.communicate()
    assert process.returncode == 0, f"{shlex.join(container['args'])}: {errors.decode()}"
    return output.decode()


async def _serves_http(node: Node) -> None:
    """The web part reaches the gateway, over TLS with the mesh's CA at both ends."""
    trusted = ssl.create_default_context(cafile=node.nats.ca.ca_file)
    port = node.ports["web", "8080"]
    async with httpx.AsyncClient(verify=trusted, trust_env=False) as http:
        health = await http.get(f"https://localhost:{port}/health")
        assert (health.status_code, health.json()["status"]) == (200, "SERVING")


@pytest.mark.slow
async def test_a_recording_goes_through_the_parts_of_the_chart(tmp_path: Path) -> None:
    templates = {part_of(pod): pod for _, pod in pods(objects("cpu-only", *OPTIONS))}
    async with AsyncExitStack() as stack:
        nats = await stack.enter_async_context(cluster(tmp_path / "nats"))
        node = Node(folder=tmp_path, nats=nats)
        await _command(node, "provision", templates["provision"])
        for part in ("gateway", "preprocess", "asr", "enhancement", "web"):
            await stack.enter_async_context(_running(node, part, templates[part]))
        said = await _command(node, "test", templates["test"])
        await _serves_http(node)
    assert "leisure to consider" in said
