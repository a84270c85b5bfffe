"""Whether the network lets through what parts need, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

from maie_runtime.bus.rights import parts
from maie_tls.names import server_name_of, uri_of
from tests.helm.parts import part_of
from tests.helm.rendering import Object, containers, matches, of_kind, pods, title, variables

NATS = {"app.kubernetes.io/name": "nats"}
# A pod of the same namespace that is none of the release.
OUTSIDER: tuple[str, Object] = ("an outsider", {"metadata": {}, "spec": {"containers": []}})
# Pods of the release that call gateways, by which variable. Those of clients are elsewhere.
CLIENTS_OF_GATEWAYS = {"test": "MAIE_GATEWAY", "web": "MAIE_WEB_GATEWAY"}


def problems_of_paths(found: list[Object]) -> Iterator[str]:
    """Connections between pods of the release are those of the mesh, and each side allows them."""
    policies = of_kind(found, "NetworkPolicy")
    if not policies:
        return
    everybody = [(name, pod) for name, pod in pods(found)]
    for name, pod in everybody:
        own = [each for each in policies if matches(each["spec"]["podSelector"], pod)]
        for way in ("Ingress", "Egress"):
            if not any(way in each["spec"]["policyTypes"] for each in own):
                yield f"{name}: no policy restricts its {way}"
    for caller, source in [*everybody, OUTSIDER]:
        for callee, target in everybody:
            for port in sorted(_ports(target)):
                out = _allows(policies, source, target, port, "egress")
                into = _allows(policies, target, source, port, "ingress")
                needed = _needs(source, target, port)
                # Each side by itself: neither relies on the other.
                if needed and not (out and into):
                    yield f"{caller} cannot reach {callee} at {port} (out: {out}, in: {into})"
                if not needed and (out or into):
                    yield f"{caller} can reach {callee} at {port} (out: {out}, in: {into})"


def _ports(pod: Object) -> set[str]:
    return {port["name"] for each in containers(pod) for port in each.get("ports", ())}


def _is_nats(pod: Object) -> bool:
    return matches(NATS, pod)


def _needs(source: Object, target: Object, port: str) -> bool:
    """Whether the mesh needs this connection, by the parts' rights in NATS and their calls."""
    caller, callee = part_of(source), part_of(target)
    if _is_nats(target):
        return (port == "nats" and caller in parts()) or (port == "cluster" and _is_nats(source))
    if port != "grpc":
        return False
    if callee == "gateway":
        return caller in CLIENTS_OF_GATEWAYS and _calls_by_service(source, caller)
    return caller == "gateway"


def _calls_by_service(pod: Object, part: str) -> bool:
    """Whether a client calls a Service of the gateway, and not a name outside."""
    return variables(containers(pod)[0])[CLIENTS_OF_GATEWAYS[part]].endswith(":50051")


def _allows(policies: list[Object], pod: Object, peer: Object, port: str, way: str) -> bool:
    """Whether a policy of `pod` lets through what goes to or comes from `peer`.

    Args:
        policies: All policies.
        pod: Whose policies are asked.
        peer: The pod at the other end.
        port: The name of the port that is called.
        way: "ingress" or "egress".
    """
    sides = "to" if way == "egress" else "from"
    target = peer if way == "egress" else pod
    number = next(
        item["containerPort"]
        for each in containers(target)
        for item in each.get("ports", ())
        if item["name"] == port
    )
    for each in policies:
        if not matches(each["spec"]["podSelector"], pod):
            continue
        for rule in each["spec"].get(way) or ():
            # A rule without peers is for everybody, and one without ports for every port.
            ports = [item["port"] for item in rule.get("ports", ())]
            peers = rule.get(sides, ())
            to_peer = not peers or any(
                "namespaceSelector" not in one and matches(one["podSelector"], peer)
                for one in peers
            )
            if to_peer and (not ports or port in ports or number in ports):
                return True
    return False


def problems_of_certificates(found: list[Object]) -> Iterator[str]:
    """Certificates carry the names by which their servers are called, and those of the mesh."""
    certificates = {
        each["spec"]["secretName"]: each["spec"] for each in of_kind(found, "Certificate")
    }
    if not certificates:
        return
    for name, pod in pods(found):
        for volume in pod["spec"].get("volumes", ()):
            if volume["name"] != "tls":
                continue
            spec = certificates.get(volume["secret"]["secretName"])
            part = part_of(pod)
            if spec is None:
                yield f"{name}: there is no Certificate {volume['secret']['secretName']}"
            elif spec["uris"] != [uri_of(part)] or server_name_of(part) not in spec["dnsNames"]:
                yield f"{name}: its certificate does not say that it is of {part}"
    yield from _of_nats(found, certificates)
    for policy in of_kind(found, "BackendTLSPolicy"):
        wanted = policy["spec"]["validation"]["hostname"]
        if not any(wanted in spec["dnsNames"] for spec in certificates.values()):
            yield f"{title(policy)}: no certificate has the name {wanted}"


def _of_nats(found: list[Object], certificates: dict[str, Object]) -> Iterator[str]:
    """Each URL of NATS and each route of its cluster has a name of the certificate."""
    servers = [each for each in of_kind(found, "StatefulSet") if _is_nats(each["spec"]["template"])]
    for server in servers:
        secrets = [
            volume["secret"]["secretName"]
            for volume in server["spec"]["template"]["spec"]["volumes"]
            if volume["name"].endswith("tls")
        ]
        replicas, own = server["spec"]["replicas"], server["metadata"]["name"]
        hosts = {f"{own}-{i}.{server['spec']['serviceName']}" for i in range(replicas)}
        for name, pod in pods(found):
            url = variables(containers(pod)[0]).get("MAIE_NATS_URL", "")
            if url and {urlsplit(each).hostname for each in url.split(",")} != hosts:
                yield f"{name}: MAIE_NATS_URL does not name the servers {sorted(hosts)}"
        for secret in secrets:
            missing = hosts - set(certificates[secret]["dnsNames"])
            if missing:
                yield f"{title(server)}: the certificate {secret} lacks {sorted(missing)}"
