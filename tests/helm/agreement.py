"""Whether objects that name each other agree: selectors, ports, volumes, Secrets, routes."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator

from tests.helm.rendering import (
    Object,
    containers,
    matches,
    of_kind,
    pods,
    port_names,
    title,
    variables,
)

# A label of DNS; names of Services and values of labels must be one.
NAME = re.compile(r"[a-z0-9]([-a-z0-9.]{0,61}[a-z0-9])?")
# What `make images VARIANT=cuda` builds, and what has a part compute on a GPU.
FOR_GPU = re.compile(r"/maie-(asr|enhancement|summary):\S+-cuda$")
ON_GPU = re.compile(r"MAIE_ASR_WHISPER_DEVICE=cuda|MAIE_(ENHANCEMENT|SUMMARY)_ENGINE=vllm")
# Of ours; those of Secrets are as users write them.
OURS = ("/etc/maie/", "/var/lib/maie/", "/recording/")


def problems_of_names(found: list[Object]) -> Iterator[str]:
    """Names are unique and short enough."""
    for (kind, name), times in Counter(
        (each["kind"], each["metadata"]["name"]) for each in found
    ).items():
        if times > 1:
            yield f"{kind} {name}: is there {times} times"
        if not NAME.fullmatch(name):
            yield f"{kind} {name}: is no name"


def problems_of_selectors(found: list[Object]) -> Iterator[str]:
    """Each selector selects pods, and a Deployment its own alone."""
    templates = list(pods(found))
    for each in of_kind(found, "Deployment", "StatefulSet"):
        selector = each["spec"]["selector"]
        owners = [name for name, pod in templates if matches(selector, pod)]
        if owners != [title(each)]:
            yield f"{title(each)}: its selector selects pods of {owners}"
    for where, selector in _selectors(found):
        if not any(matches(selector, pod) for _, pod in templates):
            yield f"{where}: selects no pod: {selector}"
    for name, pod in templates:
        budgets = [
            title(each)
            for each in of_kind(found, "PodDisruptionBudget")
            if matches(each["spec"]["selector"], pod)
        ]
        if len(budgets) > 1:
            yield f"{name}: has several budgets, so it cannot be evicted: {budgets}"


def _selectors(found: list[Object]) -> Iterator[tuple[str, Object]]:
    for each in found:
        spec = each.get("spec", {})
        match each["kind"]:
            case "Service" | "PodDisruptionBudget" | "PodMonitor":
                yield title(each), spec["selector"]
            case "NetworkPolicy":
                yield title(each), spec["podSelector"]
                for peer in _peers(each):
                    if "podSelector" in peer and "namespaceSelector" not in peer:
                        yield title(each), peer["podSelector"]
        for _, pod in pods([each]):
            for spread in pod["spec"].get("topologySpreadConstraints", ()):
                if not matches(spread["labelSelector"], pod):
                    yield f"{title(each)} topologySpreadConstraints", {"matchLabels": {"no": "pod"}}


def _peers(policy: Object) -> Iterator[Object]:
    for rule in policy["spec"].get("ingress") or ():
        yield from rule.get("from", ())
    for rule in policy["spec"].get("egress") or ():
        yield from rule.get("to", ())


def problems_of_ports(found: list[Object]) -> Iterator[str]:
    """Ports by name are those of the pods that are selected; probes ask ports that are there."""
    templates = [pod for _, pod in pods(found)]
    for each in of_kind(found, "Service"):
        for port in each["spec"]["ports"]:
            for pod in templates:
                if matches(each["spec"]["selector"], pod):
                    yield from _missing(title(each), [port["targetPort"]], pod)
    for each in of_kind(found, "PodMonitor"):
        wanted = [end["port"] for end in each["spec"]["podMetricsEndpoints"]]
        if not any(set(wanted) <= port_names(pod) for pod in templates):
            yield f"{title(each)}: no pod has the ports {wanted}"
    for policy in of_kind(found, "NetworkPolicy"):
        own = [pod for pod in templates if matches(policy["spec"]["podSelector"], pod)]
        for rule in policy["spec"].get("ingress") or ():
            for pod in own:
                yield from _missing(title(policy), _named_ports(rule), pod)
        for rule in policy["spec"].get("egress") or ():
            for peer in rule.get("to", ()):
                for pod in templates:
                    if "namespaceSelector" not in peer and matches(peer["podSelector"], pod):
                        yield from _missing(title(policy), _named_ports(rule), pod)
    for name, pod in pods(found):
        for container in containers(pod):
            for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
                asked = container.get(probe, {}).get("httpGet", {}).get("port")
                if asked is not None:
                    yield from _missing(f"{name} {probe}", [asked], pod)


def _named_ports(rule: Object) -> list[str]:
    return [port["port"] for port in rule.get("ports", ()) if isinstance(port["port"], str)]


def _missing(where: str, wanted: Iterable[str], pod: Object) -> Iterator[str]:
    for name in wanted:
        if name not in port_names(pod):
            yield f"{where}: {name} is no port of the pods"


def problems_of_volumes(found: list[Object]) -> Iterator[str]:
    """Each mount has a volume, each volume a mount, and each path of ours is in a mount."""
    claims = {each["metadata"]["name"] for each in of_kind(found, "PersistentVolumeClaim")}
    claimed: set[str] = set()
    for name, pod in pods(found):
        volumes = {each["name"]: each for each in pod["spec"].get("volumes", ())}
        mounted: set[str] = set()
        for container in containers(pod):
            mounts = container.get("volumeMounts", ())
            mounted |= {mount["name"] for mount in mounts}
            paths = [mount["mountPath"] for mount in mounts]
            if len(set(paths)) < len(paths):
                yield f"{name}: two volumes at one path: {paths}"
            for variable, value in variables(container).items():
                path = value.removeprefix("file://")
                inside = any(path == at or path.startswith(f"{at}/") for at in paths)
                if path.startswith(OURS) and not inside:
                    yield f"{name}: {variable} is {path}, where nothing is mounted"
        templates = {
            each["metadata"]["name"]
            for owner in of_kind(found, "StatefulSet")
            if title(owner) == name
            for each in owner["spec"].get("volumeClaimTemplates", ())
        }
        if mounted - volumes.keys() - templates:
            yield f"{name}: mounts without a volume: {mounted - volumes.keys() - templates}"
        if volumes.keys() - mounted:
            yield f"{name}: volumes that nothing mounts: {volumes.keys() - mounted}"
        claimed |= {
            volume["persistentVolumeClaim"]["claimName"]
            for volume in volumes.values()
            if "persistentVolumeClaim" in volume
        }
    for claim in claims ^ claimed:
        yield f"PersistentVolumeClaim {claim}: is made and not used, or used and not made"


def problems_of_images(found: list[Object]) -> Iterator[str]:
    """Those that compute on a GPU have one, and an image for it of `make images VARIANT=cuda`."""
    for name, pod in pods(found):
        for container in containers(pod):
            resources = container.get("resources", {})
            has_gpu = "claims" in resources or any(
                "nvidia.com/" in each for each in resources.get("limits", ())
            )
            computes = any(
                ON_GPU.fullmatch("=".join(pair)) for pair in variables(container).items()
            )
            for_gpu = bool(FOR_GPU.search(container["image"]))
            if not has_gpu == computes == for_gpu:
                yield (
                    f"{name}: a GPU: {has_gpu}, settings for one: {computes}, "
                    f"and its image is {container['image']}"
                )


def problems_of_routes(found: list[Object]) -> Iterator[str]:
    """Routes, an Ingress and policies name Services, ports and routes that are there."""
    services = {each["metadata"]["name"]: each for each in of_kind(found, "Service")}
    routes = of_kind(found, "GRPCRoute", "HTTPRoute")
    for route in routes:
        for rule in route["spec"]["rules"]:
            for backend in rule["backendRefs"]:
                ports = [port["port"] for port in _ports(services, backend["name"])]
                if backend["port"] not in ports:
                    yield f"{title(route)}: {backend['name']} has no port {backend['port']}"
    for ingress in of_kind(found, "Ingress"):
        for rule in ingress["spec"]["rules"]:
            for path in rule["http"]["paths"]:
                backend = path["backend"]["service"]
                names = [port["name"] for port in _ports(services, backend["name"])]
                if backend["port"]["name"] not in names:
                    yield f"{title(ingress)}: no Service {backend['name']} with that port"
    for policy in of_kind(found, "BackendTrafficPolicy"):
        for target in policy["spec"]["targetRefs"]:
            if (target["kind"], target["name"]) not in [
                (each["kind"], each["metadata"]["name"]) for each in routes
            ]:
                yield f"{title(policy)}: there is no {target['kind']} {target['name']}"
        if policy["spec"]["timeout"]["http"].get("requestTimeout") != "0s":
            yield f"{title(policy)}: Envoy Gateway ends a stream after 15 s without requestTimeout"
    for policy in of_kind(found, "BackendTLSPolicy"):
        for target in policy["spec"]["targetRefs"]:
            names = [port["name"] for port in _ports(services, target["name"])]
            if target["sectionName"] not in names:
                yield f"{title(policy)}: no Service {target['name']} with that port"


def _ports(services: dict[str, Object], name: str) -> list[Object]:
    ports: list[Object] = services.get(name, {"spec": {"ports": []}})["spec"]["ports"]
    return ports
