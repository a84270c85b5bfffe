"""The browser of the tests: what goes wrong in a page is seen, and no process remains."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from uuid import uuid4

import psutil
import pytest
from playwright.async_api import Page, expect

from tests.browser import browser, complaints, needs_chromium, page, serving  # noqa: F401
from tests.waiting import until

pytestmark = [pytest.mark.mesh, needs_chromium]

ROOT = Path(__file__).parents[1]
FAULTY = """
<script>
console.log("no error")
console.error("printed")
setTimeout(() => { throw new Error("thrown"); })
</script>
<img src="data:image/gif;base64,R0lGODlhAQABAAAAACw=">
<img src="http://maie.example/picture.png" onerror="document.title = 'unreachable'">
"""
# Opens a page, says so, and fails, or waits for its end.
CHILD = """
import asyncio, os, pathlib, pytest
from tests.browser import browser, page

@pytest.mark.mesh
async def test_child(page):
    pathlib.Path(os.environ["OPENED"]).touch()
    await asyncio.sleep({seconds})
    assert False
"""
MARK = "MAIE_TEST_BROWSER"


async def test_faults_of_a_page_are_seen(page: Page, tmp_path: Path) -> None:  # noqa: F811
    (tmp_path / "index.html").write_text(FAULTY)
    found = complaints(page)
    with serving(tmp_path) as address:
        await page.goto(address)
        await expect(page).to_have_title("unreachable")
        await until(lambda: {"printed", "thrown"} <= set(found.errors))
    assert found.elsewhere == ["http://maie.example/picture.png"]
    assert "no error" not in found.errors


@pytest.mark.parametrize("killed", [False, True])
async def test_no_process_remains(killed: bool, tmp_path: Path) -> None:
    test, opened, mark = tmp_path / "test_child.py", tmp_path / "opened", uuid4().hex
    test.write_text(CHILD.format(seconds=600 if killed else 0))
    options = ["-c", "pyproject.toml", "--basetemp", str(tmp_path / "temporary")]
    child = subprocess.Popen(  # noqa: ASYNC220
        [sys.executable, "-m", "pytest", *options, str(test)],
        cwd=ROOT,
        env={**os.environ, MARK: mark, "OPENED": str(opened)},
        stdout=subprocess.DEVNULL,
    )
    try:
        await until(lambda: opened.exists() or child.poll() is not None)
        if killed:
            assert "chromium" in {process.name() for process in marked(mark)}
            child.send_signal(signal.SIGKILL)
        await until(lambda: child.poll() is not None)
        assert opened.exists()
        await until(lambda: not marked(mark))
    finally:
        child.kill()
        child.wait()


def marked(mark: str) -> list[psutil.Process]:
    """The processes that have this mark in their environment."""
    return [
        process
        for process in psutil.process_iter(["environ"])
        if (process.info["environ"] or {}).get(MARK) == mark
    ]
