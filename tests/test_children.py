"""How tests find the processes that they have started."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

import pytest

from tests.children import children, zombies
from tests.waiting import until

pytestmark = pytest.mark.unit

WAITING = (sys.executable, "-c", "input('a child of this test')")


def waiting() -> subprocess.Popen[bytes]:
    return subprocess.Popen(WAITING, stdin=subprocess.PIPE)


@pytest.fixture
def child() -> Iterator[subprocess.Popen[bytes]]:
    with waiting() as process:
        yield process
        process.kill()


async def test_children_are_found_by_their_command_line(child: subprocess.Popen[bytes]) -> None:
    (found,) = await until(lambda: children("a child of this test"))
    assert found.pid == child.pid
    assert not children("a child of no test")


async def test_a_child_that_ended_unnoticed_is_none(child: subprocess.Popen[bytes]) -> None:
    with waiting() as ended:
        ended.kill()
        (zombie,) = await until(zombies)
        assert zombie.pid == ended.pid
        (found,) = await until(lambda: children("a child of this test"))
        assert found.pid == child.pid
    assert not zombies()
