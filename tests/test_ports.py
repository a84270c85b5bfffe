"""The ports of servers that tests start."""

from __future__ import annotations

import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests import conftest
from tests.conftest import PORTS, free_port

pytestmark = pytest.mark.unit

ROOT = Path(__file__).parents[1]
PROCESSES, EACH = 3, 50
TAKE = f"from tests.conftest import free_port; print(*(free_port() for _ in range({EACH})))"


def test_no_two_processes_get_one_port() -> None:
    taking = [
        subprocess.Popen([sys.executable, "-c", TAKE], cwd=ROOT, stdout=subprocess.PIPE, text=True)
        for _ in range(PROCESSES)
    ]
    ports = [port for process in taking for port in process.communicate()[0].split()]
    assert len(set(ports)) == len(ports) == PROCESSES * EACH


def test_no_outgoing_connection_gets_one() -> None:
    outgoing = Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()
    assert free_port() < int(outgoing[0])


def test_one_that_is_taken_is_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", free_port()))
        port = taken.getsockname()[1]
        monkeypatch.setattr(conftest, "LAST_PORT", tmp_path / "last")
        conftest.LAST_PORT.write_text(str(max(port - 1, PORTS[0])))
        assert free_port() != port


def test_the_first_follows_the_last(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conftest, "LAST_PORT", tmp_path / "last")
    conftest.LAST_PORT.write_text(str(PORTS[-1]))
    assert PORTS[0] <= free_port() < PORTS[-1]
