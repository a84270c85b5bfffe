"""The player draws a recording's waveform, with what is to be known of its places."""

from __future__ import annotations

import re

from playwright.async_api import Locator, Page, expect

from maie.preprocess.v1 import preprocess_pb2 as preprocess
from tests.gateway.conftest import EmptyMesh
from tests.waveforms import draw
from tests.web.conftest import Web
from tests.web.console.recordings import add, needs_console, spoken

pytestmark = [*needs_console]

HOURS = 4


async def bars(path: Locator) -> int:
    return (await path.get_attribute("d") or "").count("M")


async def test_a_recording_of_four_hours_is_drawn_and_leads_to_its_places(
    library: Page, web: Web, empty_mesh: EmptyMesh
) -> None:
    stage = empty_mesh.stages["preprocess"]
    answer = stage.answer

    def of_hours(*asked: object) -> list[preprocess.PreprocessResponse]:
        responses = list(answer(*asked))  # type: ignore[arg-type]
        result = responses[-1].result
        result.duration.FromSeconds(HOURS * 3600)
        warning = result.warnings.add(reason="GAP", message="Sound is missing.")
        warning.range.start_offset.FromSeconds(3600)
        warning.range.end_offset.FromSeconds(2 * 3600)
        return responses

    stage.answer = of_hours
    draw(stage, bytes([40, 200]) * (HOURS * 18_000))
    # What is said is at the beginning; the rest, but for the note, is a pause.
    empty_mesh.stages["asr"].answer = spoken(*["a line of words"] * 900)
    made = await add(web.grpc)
    await library.goto(f"{web.url}/recordings/{made.job_id}")
    sound = library.locator(".waveform > svg .sound")
    silent = library.locator(".waveform > svg .silent")
    await expect(sound).to_have_attribute("d", re.compile("M"))
    slider = library.get_by_role("slider", name="Position")
    box = await slider.bounding_box()
    assert box
    assert await bars(sound) + await bars(silent) == round(box["width"]) // 3
    assert abs(await bars(sound) - await bars(silent)) <= 2
    mark = await library.locator(".mark.noted").bounding_box()
    assert mark
    assert abs(mark["x"] - box["x"] - box["width"] / 4) < 2
    assert abs(mark["width"] - box["width"] / 4) < 2

    await library.mouse.click(box["x"] + box["width"] * 0.75, box["y"] + 3)
    time = library.locator(".controls .time").first
    await expect(time).to_have_text(re.compile("^(2:59|3:0)"))
    await expect(slider).to_be_focused()
    at = float(await slider.input_value())
    await library.keyboard.press("ArrowRight")
    await expect(slider).to_have_js_property("valueAsNumber", at + 5)
    await expect(slider).to_have_attribute("aria-valuetext", await time.inner_text())
    before = await silent.get_attribute("d")
    await library.keyboard.press("s")
    await expect(silent).not_to_have_attribute("d", before or "")
    await library.set_viewport_size({"width": 390, "height": 844})
    narrow = await slider.bounding_box()
    assert narrow
    await expect(library.locator(".waveform > svg")).to_have_attribute(
        "viewBox", f"0 0 {round(narrow['width'])} 48"
    )
