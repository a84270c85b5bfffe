"""Whether pods are of the restricted Pod Security Standard, and a little more."""

from __future__ import annotations

from collections.abc import Iterator

from tests.helm.rendering import Object, containers, pods

# Volumes of the restricted standard, and images, which it does not list: the README says so.
VOLUMES = {
    "configMap",
    "emptyDir",
    "ephemeral",
    "persistentVolumeClaim",
    "projected",
    "secret",
    "image",
}
HOST = ("hostNetwork", "hostPID", "hostIPC")


def problems_of_security(found: list[Object]) -> Iterator[str]:
    """What Pod Security refuses; also tokens, writable roots and no limit of memory."""
    for name, pod in pods(found):
        yield from (f"{name}: {each}" for each in _of_pod(pod["spec"]))
        for container in containers(pod):
            yield from (f"{name} {container['name']}: {each}" for each in _of_container(container))


def _of_pod(spec: Object) -> Iterator[str]:
    context = spec.get("securityContext", {})
    if context.get("runAsNonRoot") is not True or not context.get("runAsUser"):
        yield "may run as root"
    if context.get("seccompProfile", {}).get("type") != "RuntimeDefault":
        yield "has no seccomp profile"
    if spec.get("automountServiceAccountToken") is not False:
        yield "has a token of the API server"
    for field in HOST:
        if spec.get(field):
            yield f"has {field}"
    for volume in spec.get("volumes", ()):
        if not volume.keys() - {"name"} <= VOLUMES:
            yield f"has the volume {volume}"


def _of_container(container: Object) -> Iterator[str]:
    context = container.get("securityContext", {})
    if context.get("allowPrivilegeEscalation") is not False or context.get("privileged"):
        yield "may get more rights"
    if context.get("capabilities") != {"drop": ["ALL"]}:
        yield "has capabilities"
    if context.get("readOnlyRootFilesystem") is not True:
        yield "may write to its root"
    resources = container.get("resources", {})
    if "memory" not in resources.get("limits", {}):
        yield "has no limit of memory"
    if not {"cpu", "memory"} <= resources.get("requests", {}).keys():
        yield "requests no CPU and memory"
    if container["image"].endswith(":latest") or not {":", "@"} & set(
        container["image"].rpartition("/")[2]
    ):
        yield f"has an image that changes: {container['image']}"
