"""What the chart renders to, by the real helm."""

from __future__ import annotations

import functools
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

CHART = Path(__file__).parents[2] / "helm/maie"
HELM = Path(sys.executable).with_name("helm")
RELEASE = "speech"
NAMESPACE = "transcription"
PROFILES = tuple(sorted(path.stem for path in (CHART / "values").glob("*.yaml")))

Object = dict[str, Any]


class RenderError(Exception):
    """Helm refused; the message is what it printed."""


def helm(*arguments: str | Path) -> str:
    """Runs helm and gives what it printed.

    Raises:
        RenderError: It failed.
    """
    done = subprocess.run([HELM, *arguments], capture_output=True, text=True, check=False)
    if done.returncode:
        raise RenderError(done.stdout + done.stderr)
    return done.stdout


@functools.cache
def rendered(profile: str, *options: str, chart: Path = CHART) -> str:
    """The text of all objects.

    Args:
        profile: The name of a file of values beside the chart.
        options: Further options of `helm template`.
        chart: The chart, where it is a changed copy.

    Raises:
        RenderError: Helm refused.
    """
    values = chart / f"values/{profile}.yaml"
    return helm("template", RELEASE, chart, "-n", NAMESPACE, "-f", values, *options)


def objects(profile: str, *options: str, chart: Path = CHART) -> list[Object]:
    """The objects, each a copy of its own.

    Raises:
        RenderError: Helm refused.
    """
    text = rendered(profile, *options, chart=chart)
    return [each for each in yaml.load_all(text, Loader=yaml.CSafeLoader) if each]


def of_kind(found: list[Object], *kinds: str) -> list[Object]:
    """The objects of some kinds."""
    return [each for each in found if each["kind"] in kinds]


def named(found: list[Object], kind: str, name: str) -> Object:
    """The object of that kind and name."""
    return next(each for each in of_kind(found, kind) if each["metadata"]["name"] == name)


def title(each: Object) -> str:
    """How problems name an object."""
    return f"{each['kind']} {each['metadata']['name']}"


def pods(found: list[Object]) -> Iterator[tuple[str, Object]]:
    """Each template of pods, with the title of what has it: `metadata` and `spec`."""
    for each in found:
        if each["kind"] == "Pod":
            yield title(each), each
        elif "template" in each.get("spec", {}):
            yield title(each), each["spec"]["template"]


def containers(pod: Object) -> list[Object]:
    """All containers of a pod."""
    return [*pod["spec"].get("initContainers", ()), *pod["spec"]["containers"]]


def variables(container: Object) -> dict[str, str]:
    """The variables of a container that are in its specification."""
    return {each["name"]: each.get("value", "") for each in container.get("env", ())}


def labels(pod: Object) -> dict[str, str]:
    """The labels of a pod."""
    found: dict[str, str] = pod["metadata"].get("labels", {})
    return found


def matches(selector: Object, pod: Object) -> bool:
    """Whether a selector of `matchLabels`, or of labels, selects a pod."""
    wanted = selector.get("matchLabels", selector)
    return wanted.items() <= labels(pod).items()


def port_names(pod: Object) -> set[str]:
    """The names of all ports of a pod."""
    return {port["name"] for each in containers(pod) for port in each.get("ports", ())}
