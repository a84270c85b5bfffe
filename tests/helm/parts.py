"""Whether each part gets what its code needs: settings, credentials, time to end, a command."""

from __future__ import annotations

import functools
import os
from collections.abc import Iterator
from unittest import mock

from pydantic import ValidationError
from pydantic_settings import SettingsError

from maie_asr.settings import AsrSettings
from maie_core.errors import StageError
from maie_core.redaction import FILE
from maie_core.settings import MeshSettings, Settings, settings_problems
from maie_core.unknown_variables import unknown_variables
from maie_enhancement.settings import EnhancementSettings
from maie_gateway.settings import GatewaySettings
from maie_preprocess.settings import PreprocessSettings
from maie_runtime.bus.rights import parts
from maie_runtime.rpc.exposure import check_exposure
from maie_runtime.vault.key_file import new_line
from maie_summary.settings import SummarySettings
from maie_web.settings import WebSettings
from tests.cli import command
from tests.helm.rendering import Object, containers, labels, of_kind, pods, variables
from tools.chart import settings

COMPONENT = "app.kubernetes.io/component"
SETTINGS: dict[str, type[Settings]] = {
    "gateway": GatewaySettings,
    "web": WebSettings,
    "preprocess": PreprocessSettings,
    "asr": AsrSettings,
    "enhancement": EnhancementSettings,
    "summary": SummarySettings,
    "provision": MeshSettings,
}
KNOWN = settings()
# What is in a Secret that a variable names, where the setting checks it.
CONTENT = {
    "MAIE_GATEWAY_READ_MODEL_URL": "postgresql://user:word@host/name",
    "MAIE_WEB_SESSION_KEY": new_line(),
}
NKEY, SECRET = "MAIE_NATS_NKEY_FILE", "secret"


def part_of(pod: Object) -> str:
    """The part that runs in a pod of ours; empty for others' pods."""
    found = labels(pod)
    if found.get("app.kubernetes.io/name") != "maie":
        return ""
    return found.get("maie/stage") or found[COMPONENT]


def _ours(found: list[Object]) -> Iterator[tuple[str, str, Object, Object]]:
    """The pods of ours: title, part, pod and its one container."""
    for name, pod in pods(found):
        if part := part_of(pod):
            (container,) = containers(pod)
            yield name, part, pod, container


def problems_of_settings(found: list[Object]) -> Iterator[str]:
    """Each variable is a setting of its part, and its class of settings takes them all."""
    for name, part, _, container in _ours(found):
        values = variables(container)
        if part in SETTINGS:
            yield from (f"{name}: {each}" for each in _refused(part, values))
        for variable in values:
            if part in SETTINGS and variable in KNOWN and not _reads(part, variable):
                yield f"{name}: {variable} is no setting of {part}"
        for variable in unknown_variables(SETTINGS, values):
            yield f"{name}: {variable} is no setting"


def _reads(part: str, variable: str) -> bool:
    return part == "provision" or part in KNOWN[variable]


def _refused(part: str, values: dict[str, str]) -> Iterator[str]:
    """What a part says of its settings, as it would at its start."""
    environment = {
        name: value.replace("$(POD_IP)", "10.0.0.1")
        for name, value in values.items()
        if name.removesuffix(FILE) not in KNOWN or not name.endswith(FILE)
    }
    for name in values.keys() - environment.keys():
        secret = name.removesuffix(FILE)
        environment[secret] = CONTENT.get(secret, SECRET)
    with mock.patch.dict(os.environ, environment, clear=True):
        try:
            read = SETTINGS[part]()
        except (ValidationError, SettingsError) as error:
            yield from settings_problems(error)
            return
    if listen := getattr(read, "listen", ""):
        yield from _exposed(read, listen)


def _exposed(read: Settings, listen: str) -> Iterator[str]:
    """A port that others reach needs TLS, and one that gateways call must not be on loopback."""
    rpc = getattr(read, "rpc", "on")
    tls = read.mesh.tls_cert_file or getattr(read, "tls_cert_file", None)  # type: ignore[attr-defined]
    plain = getattr(read, "plaintext", "")
    if rpc == "on" and not plain:
        try:
            check_exposure(listen, has_tls=tls is not None, remedy="")
        except StageError as error:
            yield error.message
    if rpc == "on" and listen.startswith("127."):
        yield f"its port listens on {listen}, where no other pod comes"
    if rpc == "on" and not plain and getattr(read, "advertise", "-") == "":
        yield "it does not say at which address gateways reach it"


def problems_of_credentials(found: list[Object]) -> Iterator[str]:
    """Each part has its own seed, and a gateway alone what only gateways may have."""
    owners: dict[str, str] = {}
    guarded = any(NKEY in variables(container) for _, _, _, container in _ours(found))
    for name, part, pod, container in _ours(found):
        secrets = {
            volume["name"]: volume["secret"]
            for volume in pod["spec"].get("volumes", ())
            if "secret" in volume
        }
        if guarded and part in parts() and NKEY not in variables(container):
            yield f"{name}: connects to NATS without an nkey"
        seed = secrets.get("nkey", {}).get("secretName")
        if seed and owners.setdefault(seed, part) != part:
            yield f"{name}: has the seed of {owners[seed]}"
        if "master-key" in secrets and part != "gateway":
            yield f"{name}: has the master key"
        for volume, secret in secrets.items():
            if secret.get("defaultMode", 0o644) & 0o007:
                yield f"{name}: every user of the pod may read {volume}; a part refuses such a seed"
        if pod["spec"]["securityContext"].get("fsGroup") is None and secrets:
            yield f"{name}: without fsGroup, the part cannot read its Secrets"
    yield from _not_provided(found)


def _not_provided(found: list[Object]) -> Iterator[str]:
    """Where External Secrets are on, they or cert-manager make each Secret that pods name."""
    made = {
        each["spec"]["target"]["name"]: {entry["secretKey"] for entry in each["spec"]["data"]}
        for each in of_kind(found, "ExternalSecret")
    }
    if not made:
        return
    certificates = {each["spec"]["secretName"] for each in of_kind(found, "Certificate")}
    for name, _, pod, container in _ours(found):
        for volume in pod["spec"].get("volumes", ()):
            secret = volume.get("secret", {}).get("secretName")
            if secret is None or secret in certificates:
                continue
            if secret not in made:
                yield f"{name}: nobody makes the Secret {secret}"
                continue
            at = next(
                m["mountPath"] for m in container["volumeMounts"] if m["name"] == volume["name"]
            )
            for value in variables(container).values():
                path = value.removeprefix("file://")
                if path.startswith(f"{at}/") and path.removeprefix(f"{at}/") not in made[secret]:
                    yield f"{name}: the Secret {secret} has no key for {path}"


def problems_of_ends(found: list[Object]) -> Iterator[str]:
    """A part has time to finish what runs, and to load its models at its start."""
    for each in of_kind(found, "Deployment"):
        pod = each["spec"]["template"]
        if not part_of(pod):
            continue
        (container,) = containers(pod)
        name = each["metadata"]["name"]
        grace = float(variables(container)["MAIE_SHUTDOWN_GRACE_SECONDS"])
        before = (
            container.get("lifecycle", {}).get("preStop", {}).get("sleep", {}).get("seconds", 0)
        )
        if pod["spec"]["terminationGracePeriodSeconds"] < grace + before + 10:
            yield f"{name}: is killed before its {grace:.0f} s are over"
        health = variables(container).get("MAIE_HEALTH_FILE")
        for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
            asked = container.get(probe, {}).get("exec", {}).get("command", [])
            if asked[:4] != ["python3", "-m", "maie_runtime.probe", health]:
                yield f"{name}: {probe} does not ask {health}"
            if ("--alive" in asked) != (probe == "livenessProbe"):
                yield f"{name}: {probe} asks the wrong question: who waits for NATS is alive"
        named = {port["name"] for port in container.get("ports", ())}
        if named & {"grpc", "http"} and not before:
            yield f"{name}: ends while others still send it calls"


def problems_of_commands(found: list[Object]) -> Iterator[str]:
    """Each image is of its part; the arguments of `maie` are ones that it takes."""
    for name, part, pod, container in _ours(found):
        image = container["image"].rpartition("/")[2].partition(":")[0].partition("@")[0]
        wanted = f"maie-{labels(pod).get('maie/stage', 'cli')}"
        if image != wanted:
            yield f"{name}: {part} runs {container['image']}"
        if wanted == "maie-cli" and (said := _refused_arguments(tuple(container["args"]))):
            yield f"{name}: maie {' '.join(container['args'])}: {said}"


@functools.cache
def _refused_arguments(arguments: tuple[str, ...]) -> str:
    done = command.run(*arguments, "--help", environment={})
    return done.errors or done.output if done.code else ""
