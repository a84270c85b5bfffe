"""deploy/compose.yaml is valid, and agrees with the code and with the files that it mounts."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

pytestmark = pytest.mark.unit

DEPLOY = Path(__file__).parents[2] / "deploy"
FILE = DEPLOY / "compose.yaml"
BIN = Path(sys.executable).parent
# Without --dry-run it wants podman, which only starts what is read here.
PODMAN_COMPOSE = (os.fspath(BIN / "podman-compose"), "--dry-run")
SETTINGS = (DEPLOY.parent / "docs/settings.md").read_text()
SPECIFICATION = [
    os.fspath(BIN / "check-jsonschema"),
    "--builtin-schema",
    "vendor.compose-spec",
]
MESH = {
    "nats",
    "gateway",
    "web",
    "preprocess",
    "diarization",
    "quality",
    "alignment",
    "enhancement",
    "synthesis",
}
WATCHERS = {"collector", "prometheus", "grafana"}


def _run(*command: str, profiles: str = "cpu") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command,
        cwd=DEPLOY,
        env={"PATH": os.environ["PATH"], "COMPOSE_PROFILES": profiles},
        capture_output=True,
        text=True,
        check=False,
    )


@cache
def _services(profiles: str) -> dict[str, dict[str, Any]]:
    done = _run(*PODMAN_COMPOSE, "config", profiles=profiles)
    assert done.returncode == 0, done.stderr
    started = _run(*PODMAN_COMPOSE, "config", "--services", profiles=profiles).stdout.split()
    services = yaml.safe_load(done.stdout)["services"]
    return {name: services[name] for name in started}


def _has_compose() -> bool:
    return bool(shutil.which("docker")) and _run("docker", "compose", "version").returncode == 0


def test_it_follows_the_compose_specification() -> None:
    done = _run(*SPECIFICATION, str(FILE))
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(
    ("right", "wrong"),
    [("read_only: true", "readonly: true"), ("cap_drop: [ALL]", "cap_drop: ALL")],
)
def test_the_specification_refuses_mistakes(tmp_path: Path, right: str, wrong: str) -> None:
    (tmp_path / "compose.yaml").write_text(FILE.read_text().replace(right, wrong))
    assert _run(*SPECIFICATION, str(tmp_path / "compose.yaml")).returncode == 1


@pytest.mark.skipif(not _has_compose(), reason="docker has no plugin compose here")
@pytest.mark.parametrize("profiles", ["cpu", "gpu", "shared-gpu", "cpu,observability,tools"])
def test_docker_compose_reads_it(profiles: str) -> None:
    done = _run("docker", "compose", "config", "--quiet", profiles=profiles)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("profiles", "started"),
    [
        ("", MESH),
        ("cpu", MESH | {"asr", "summary"}),
        ("gpu", MESH | {"asr-gpu", "summary"}),
        ("shared-gpu", MESH | {"asr-shared-gpu", "summary-shared-gpu"}),
        ("cpu,observability", MESH | {"asr", "summary"} | WATCHERS),
        ("cpu,tools", MESH | {"asr", "summary", "maie"}),
    ],
)
def test_profiles_choose_the_services(profiles: str, started: set[str]) -> None:
    assert set(_services(profiles)) == started


def test_each_variable_is_a_setting() -> None:
    for name, service in _services("cpu,gpu,shared-gpu").items():
        for variable in service.get("environment", {}):
            assert f"`{variable}`" in SETTINGS or variable.startswith("OTEL_"), (name, variable)


def test_each_path_in_a_variable_is_mounted() -> None:
    for name, service in _services("cpu,gpu,shared-gpu").items():
        mounted = [each.split(":")[1] for each in service["volumes"]]
        for variable, value in service.get("environment", {}).items():
            path = re.sub("^(file|sqlite)://(/(?=/))?", "", value)
            inside = any(path == at or path.startswith(f"{at}/") for at in mounted)
            assert not path.startswith("/") or inside, (name, variable, value)


def test_each_file_of_this_repository_that_is_mounted_exists() -> None:
    sources = {
        volume.split(":")[0]
        for service in _services("cpu,gpu,shared-gpu,observability,tools").values()
        for volume in service.get("volumes", ())
        if volume.startswith("./") and not volume.startswith("./mesh")
    }
    assert "./observability/collector.yaml" in sources
    for source in sources:
        assert (DEPLOY / source).exists(), source


def test_nothing_of_ours_may_write_to_its_root_or_gain_rights() -> None:
    for name, service in _services("cpu,gpu,shared-gpu,tools").items():
        assert service["read_only"] is True, name
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert service["user"] != "0", name


def test_the_images_are_those_of_make_images() -> None:
    project = (DEPLOY.parent / "gateway/pyproject.toml").read_text()
    (version,) = re.findall('^version = "(.*)"', project, re.MULTILINE)
    for name, service in _services("cpu,gpu,shared-gpu,tools").items():
        part = {"maie": "cli"}.get(name, name.removesuffix("-gpu").removesuffix("-shared"))
        variant = "-cuda" if name.endswith("-gpu") else ""
        if name != "nats":
            assert service["image"] == f"localhost/maie-{part}:{version}{variant}"


def test_those_with_an_image_for_gpus_have_a_gpu_and_use_it() -> None:
    for name, service in _services("cpu,gpu,shared-gpu,tools").items():
        on_gpu = name.endswith("-gpu")
        assert ("deploy" in service) == on_gpu, name
        environment = service.get("environment", {})
        whisper = environment.get("MAIE_ASR_WHISPER_DEVICE") == "cuda"
        assert (whisper or environment.get("MAIE_SUMMARY_ENGINE") == "vllm") == on_gpu, name
