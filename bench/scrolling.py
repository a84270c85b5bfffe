"""How smoothly Chromium scrolls the transcript of a recording of four hours.

A gateway and the web part have a transcript with the times of all words from empty stages. The
page is scrolled as a wheel does it, by the browser itself, and as somebody does who drags the bar
from end to end, by setting the place in each frame.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import pairwise
from random import Random
from typing import Annotated

import typer
from playwright.async_api import CDPSession, Page, expect

from bench.meshes import data_folder
from bench.others import Others
from bench.report import Figure, JsonOption, Report, note
from tests.browser import PATIENCE_MILLISECONDS, chromium
from tests.conftest import running_nats
from tests.gateway.conftest import provisioned_mesh
from tests.web.conftest import web_before
from tests.web.console.recordings import SECONDS, add, spoken

FRAMES_PER_SECOND = 60
# A screen's own 60 are 59.9 of the clock.
MIN_FRAMES_PER_SECOND = 59.0
LATE_MS = 1.5 * 1000 / FRAMES_PER_SECOND
TALK = "so what we said about the budget last time was that nobody had counted it"
MOST_WORDS = 30
UNSURE = 0.5
WHEEL_PX_PER_SECOND = 3000

WATCH = """() => {
  const box = document.querySelector('.transcript');
  const {top, bottom} = box.getBoundingClientRect();
  const seen = window.seen = {frames: [], bare: 0, on: true};
  function frame(now) {
    if (!seen.on) return;
    seen.frames.push(now);
    const lines = box.querySelectorAll('.line');
    const first = lines[0].getBoundingClientRect();
    const last = lines[lines.length - 1].getBoundingClientRect();
    seen.bare += first.top > top + 1 || last.bottom < bottom - 1;
    requestAnimationFrame(frame);
  }
  requestAnimationFrame(frame);
}"""
STOP = "() => { window.seen.on = false; return window.seen; }"
DRAG = """seconds => new Promise(resolve => {
  const box = document.querySelector('.transcript');
  const began = performance.now();
  function frame(now) {
    const share = (now - began) / 1000 / seconds;
    if (share >= 1) return resolve();
    box.scrollTop = (box.scrollHeight - box.clientHeight) * Math.max(share, 0);
    requestAnimationFrame(frame);
  }
  requestAnimationFrame(frame);
})"""

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@dataclass(kw_only=True, frozen=True, slots=True)
class Scrolled:
    """What a page showed while it was scrolled.

    Attributes:
        gaps: The milliseconds from each frame to the next.
        bare: In how many frames the box was not full of lines.
        work: The milliseconds of processor that the page took for all frames.
    """

    gaps: list[float]
    bare: int
    work: float

    def figures(self, way: str) -> list[Figure]:
        """The figures of one way to scroll."""
        late = sum(gap > LATE_MS for gap in self.gaps) / len(self.gaps)
        return [
            Figure(
                name=f"{way}: frames",
                value=1000 * len(self.gaps) / sum(self.gaps),
                unit="/s",
                at_least=MIN_FRAMES_PER_SECOND,
            ),
            Figure(name=f"{way}: late frames", value=100 * late, unit="%"),
            Figure(name=f"{way}: longest frame", value=max(self.gaps), unit="ms"),
            Figure(
                name=f"{way}: processor time of the page for a frame",
                value=self.work / len(self.gaps),
                unit="ms",
            ),
            Figure(name=f"{way}: frames with bare places", value=self.bare, at_most=0),
        ]


@app.command()
def main(
    hours: Annotated[float, typer.Option(help="How long the recording is.")] = 4.0,
    seconds: Annotated[float, typer.Option(help="How long each way scrolls.")] = 20.0,
    as_json: JsonOption = False,
) -> None:
    """Prints frames a second, late ones, and what a frame takes."""
    asyncio.run(_measure(hours, seconds)).print(as_json)


async def _measure(hours: float, seconds: float) -> Report:
    figures: list[Figure] = []
    async with _page(hours) as (page, cdp):
        others = Others()
        note(f"a wheel, {seconds:g} s")
        figures += (await _scrolled(page, cdp, _wheel(page, cdp, seconds))).figures("wheel")
        note(f"the bar dragged from end to end in {seconds:g} s")
        dragged = await _scrolled(page, cdp, page.evaluate(DRAG, seconds))
        figures += dragged.figures("bar")
        share = Figure(name="CPU that others took meanwhile", value=100 * others.share(), unit="%")
    return Report(
        bench="scrolling",
        measured="The transcript of a recording in Chromium without a GPU, scrolled by a wheel and "
        "by its bar.",
        settings={"hours": hours, "lines": _line_count(hours), "seconds": seconds},
        figures=[*figures, share],
    )


async def _scrolled(page: Page, cdp: CDPSession, scrolling: Awaitable[object]) -> Scrolled:
    """Watches a page while it is scrolled."""
    before = await _work(cdp)
    await page.evaluate(WATCH)
    await scrolling
    seen = await page.evaluate(STOP)
    return Scrolled(
        gaps=[after - each for each, after in pairwise(seen["frames"])],
        bare=seen["bare"],
        work=await _work(cdp) - before,
    )


async def _wheel(page: Page, cdp: CDPSession, seconds: float) -> None:
    """Scrolls down as a wheel does."""
    box = await page.locator(".transcript").bounding_box()
    assert box
    await cdp.send(
        "Input.synthesizeScrollGesture",
        {
            "x": box["x"] + box["width"] / 2,
            "y": box["y"] + box["height"] / 2,
            "yDistance": -round(WHEEL_PX_PER_SECOND * seconds),
            "speed": WHEEL_PX_PER_SECOND,
            "gestureSourceType": "mouse",
        },
    )


async def _work(cdp: CDPSession) -> float:
    """The milliseconds of processor that the page has taken."""
    metrics = (await cdp.send("Performance.getMetrics"))["metrics"]
    return 1000 * next(each["value"] for each in metrics if each["name"] == "TaskDuration")


@asynccontextmanager
async def _page(hours: float) -> AsyncIterator[tuple[Page, CDPSession]]:
    """The page of a recording, with its transcript to be seen."""
    with data_folder() as folder:
        async with running_nats(folder) as nats:
            mesh = await provisioned_mesh(nats, folder)
            mesh.stages["asr"].answer = spoken(*_lines(hours), confidence=UNSURE)
            async with mesh.running() as client, web_before(client) as web, chromium() as browser:
                note(f"a recording of {hours:g} hours")
                made = await add(client)
                page = await browser.new_page()
                page.set_default_timeout(PATIENCE_MILLISECONDS)
                await page.goto(f"{web.url}/recordings/{made.job_id}")
                await expect(page.locator(".line").first).to_be_visible()
                cdp = await page.context.new_cdp_session(page)
                await cdp.send("Performance.enable", {"timeDomain": "threadTicks"})
                yield page, cdp


def _lines(hours: float) -> list[str]:
    """Lines of up to 30 words, the same in each run."""
    words, chosen = TALK.split(), Random(1)
    return [
        " ".join(chosen.choices(words, k=chosen.randint(1, MOST_WORDS)))
        for _ in range(_line_count(hours))
    ]


def _line_count(hours: float) -> int:
    return round(hours * 3600 / SECONDS)


if __name__ == "__main__":
    app()
