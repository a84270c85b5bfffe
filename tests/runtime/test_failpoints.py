"""Faults happen where and when they are asked for, and never otherwise."""

from __future__ import annotations

from pathlib import Path

import pytest

from maie_core.errors import StageError
from maie_runtime.failpoints import MARK_VARIABLE, VARIABLE, Failpoint, failpoint, planned

pytestmark = pytest.mark.unit


async def test_nothing_happens_unless_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    await failpoint("worker.after_run")
    monkeypatch.setenv(VARIABLE, "worker.after_ack:error")
    await failpoint("worker.after_run")


def test_a_plan_is_read() -> None:
    text = "worker.after_commit:kill@2, conductor.after_store:freeze"
    assert planned({VARIABLE: text}) == [
        Failpoint(point="worker.after_commit", action="kill", time=2),
        Failpoint(point="conductor.after_store", action="freeze"),
    ]


@pytest.mark.parametrize(
    "text",
    [
        "worker.nowhere:kill",
        "worker.after_run:explode",
        "worker.after_run",
        "worker.after_run:kill@x",
    ],
)
def test_what_cannot_be_read_is_named(text: str) -> None:
    with pytest.raises(ValueError, match=text):
        planned({VARIABLE: text})


async def test_a_fault_happens_at_its_time_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, "conductor.after_publish:error@2")
    await failpoint("conductor.after_publish")
    with pytest.raises(StageError, match=VARIABLE):
        await failpoint("conductor.after_publish")
    await failpoint("conductor.after_publish")


async def test_a_marked_fault_happens_once_for_all_processes(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv(VARIABLE, "worker.after_ack:error")
    monkeypatch.setenv(MARK_VARIABLE, str(tmp_path / "happened"))
    with pytest.raises(StageError):
        await failpoint("worker.after_ack")
    await failpoint("worker.after_ack")
