"""Checks each server of a broker by what it reports to a monitor."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from maie_cli.doctor.broker.alike import alike
from maie_cli.doctor.finding import Finding, Health, bad
from maie_cli.doctor.machine import MIN_FREE_BYTES
from maie_runtime.bus.server_report import ServerReport

# Earlier versions cannot let a single message of a stream expire.
MIN_VERSION = (2, 11)
# JetStream's parts of a job and the largest message that a part sends.
MIN_PAYLOAD_BYTES = 1024 * 1024
GIBIBYTE = 1024**3
NANOSECONDS = 1e9
CONFIGURE = "see docs/nats.md#what-a-broker-lacks"

Check = Callable[[dict[str, Any]], Finding]


def servers(found: Sequence[ServerReport], health: Sequence[ServerReport]) -> Iterator[Finding]:
    """Checks what servers report of themselves.

    Args:
        found: Their reports VARZ.
        health: Their reports HEALTHZ.
    """
    yield _members(found)
    for check in (_version, _jetstream, _sync, _store, _disk, _payload, _tls):
        yield from alike((each.server, check(each.data)) for each in found)
    if len(found) > 1:
        yield from alike((each.server, _routes(each.data)) for each in found)
    yield from alike((each.server, _health(each.data)) for each in health)


def cluster_size(report: dict[str, Any]) -> int:
    """How many servers a server's cluster has, by its report VARZ; 1 without a cluster."""
    size: int = _meta(report).get("cluster_size", 1)
    return size


def _members(found: Sequence[ServerReport]) -> Finding:
    """Whether all servers of the cluster answer, and follow its leader."""
    size = max(cluster_size(each.data) for each in found)
    answering = {each.server for each in found}
    if size == 1:
        return Finding(what="servers", detail=f"one: {', '.join(answering)}")
    leader = next((name for each in found if (name := _meta(each.data).get("leader"))), "")
    if not leader:
        detail = f"{len(found)} of {size} answer, and none leads the cluster"
        return bad("servers", detail, "start the others: a majority of them must run")
    # The leader alone knows how far the others are.
    peers = next((_meta(each.data) for each in found if each.server == leader), {})
    behind = [
        f"{peer['name']} is {'offline' if peer.get('offline') else 'behind'}"
        for peer in peers.get("replicas", ())
        if peer.get("offline") or not peer.get("current")
    ]
    detail = f"{len(found)} of {size} answer, {leader} leads"
    if behind or len(found) < size:
        detail = ", ".join([detail, *behind])
        return bad("servers", detail, "start what is missing, and look at its log")
    return Finding(what="servers", detail=f"{detail}: {', '.join(sorted(answering))}")


def _version(report: dict[str, Any]) -> Finding:
    version = report["version"]
    found = re.match(r"(\d+)\.(\d+)", version)
    if not found or tuple(map(int, found.groups())) < MIN_VERSION:
        needed = ".".join(map(str, MIN_VERSION))
        return bad("version", version, f"upgrade nats-server to {needed} or newer")
    return Finding(what="version", detail=version)


def _jetstream(report: dict[str, Any]) -> Finding:
    if not _config(report):
        return bad("JetStream", "off", f"turn it on; {CONFIGURE}")
    return Finding(what="JetStream", detail="on")


def _sync(report: dict[str, Any]) -> Finding:
    what, config = "sync_interval", _config(report)
    if not config:
        return _unknown(what)
    if config.get("sync_always"):
        return Finding(what=what, detail="always")
    seconds = config.get("sync_interval", 0) / NANOSECONDS
    detail = f"{seconds:.0f} s, so a power failure loses acknowledged writes"
    return bad(what, detail, "set sync_interval: always in the block jetstream of its file")


def _store(report: dict[str, Any]) -> Finding:
    what, config = "max_file_store", _config(report)
    if not config:
        return _unknown(what)
    limit = config.get("max_storage", 0)
    stats = report["jetstream"].get("stats", {})
    used = max(stats.get("storage", 0), stats.get("reserved_storage", 0))
    detail = f"{_gibibytes(limit)}, of which {_gibibytes(used)} are taken"
    if limit - used < MIN_FREE_BYTES:
        return bad(what, detail, "raise max_file_store in the block jetstream of its file")
    return Finding(what=what, detail=detail)


def _disk(report: dict[str, Any]) -> Finding:
    what, folder = "disk", Path(_config(report).get("store_dir") or "/nowhere")
    if not folder.is_dir():
        detail = "a server does not report its free space, and its folder is not on this machine"
        return Finding(what=what, health=Health.ABSENT, detail=detail, mend="look with: df")
    free = shutil.disk_usage(folder).free
    detail = f"{_gibibytes(free)} free"
    if free < MIN_FREE_BYTES:
        return bad(what, detail, f"make room for {_gibibytes(MIN_FREE_BYTES)}")
    return Finding(what=what, detail=detail)


def _payload(report: dict[str, Any]) -> Finding:
    detail = f"{report.get('max_payload', 0)} bytes"
    if report.get("max_payload", 0) < MIN_PAYLOAD_BYTES:
        return bad("max_payload", detail, f"set max_payload: {MIN_PAYLOAD_BYTES}, its default")
    return Finding(what="max_payload", detail=detail)


def _tls(report: dict[str, Any]) -> Finding:
    if report.get("tls_required"):
        who = ", and asks clients for a certificate" if report.get("tls_verify") else ""
        return Finding(what="TLS", detail=f"needed{who}")
    if report.get("host") in ("127.0.0.1", "localhost", "::1"):
        return Finding(
            what="TLS", health=Health.ABSENT, detail="none; it answers this machine only"
        )
    return bad("TLS", "none, and other machines reach it", "docs/nats.md#tls")


def _routes(report: dict[str, Any]) -> Finding:
    cluster = report.get("cluster", {})
    if cluster.get("tls_required") and cluster.get("tls_verify"):
        return Finding(what="TLS between servers", detail="needed, with a certificate")
    detail = "none: a program that reaches the port of the cluster can join it and read all"
    return bad("TLS between servers", detail, "docs/nats.md#tls")


def _health(report: dict[str, Any]) -> Finding:
    if report.get("status") == "ok":
        return Finding(what="health", detail="ok")
    problem = report.get("error") or report.get("status") or "unknown"
    return bad("health", str(problem), "look at the server's log, and restart it")


def _config(report: dict[str, Any]) -> dict[str, Any]:
    config: dict[str, Any] = report.get("jetstream", {}).get("config") or {}
    return config


def _meta(report: dict[str, Any]) -> dict[str, Any]:
    meta: dict[str, Any] = report.get("jetstream", {}).get("meta") or {}
    return meta


def _unknown(what: str) -> Finding:
    return Finding(what=what, health=Health.ABSENT, detail="unknown while JetStream is off")


def _gibibytes(size: int) -> str:
    return f"{size / GIBIBYTE:.1f} GiB"
