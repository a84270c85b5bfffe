"""How good a recording sounds and how a text was read, on its page: by keys, clicks and ears."""

from __future__ import annotations

import io
import math
import wave
from array import array
from collections.abc import AsyncIterator
from typing import Any, Literal

import pytest
from playwright.async_api import Browser, Page, expect

from maie.alignment.v1 import alignment_pb2 as alignment
from maie.job.v1 import job_pb2 as job
from maie.preprocess.v1 import preprocess_pb2 as preprocess
from tests.browser import complaints
from tests.formats import readings
from tests.formats.sounds import report, whole_sound_alone
from tests.gateway.conftest import EmptyMesh
from tests.gateway.test_warnings_of_jobs import also
from tests.web.conftest import Web
from tests.web.console.barriers import DESK, PHONE, fits
from tests.web.console.recordings import ended, needs_console
from tests.web.findings import SCORES, find_a_call, find_something

pytestmark = [*needs_console]

BOTH = ("reading", "quality")
RATE = 8000
SECONDS = 10
ATTACK = "<img src=x onerror=\"document.title='owned'\">"


def tone() -> bytes:
    """A WAV file that browsers play."""
    samples = array("h", (round(9000 * math.sin(0.3 * place)) for place in range(SECONDS * RATE)))
    file = io.BytesIO()
    with wave.open(file, "wb") as sound:
        sound.setparams((1, 2, RATE, 0, "NONE", ""))
        sound.writeframes(samples.tobytes())
    return file.getvalue()


async def found(web: Web, *features: str) -> job.Job:
    """A recording with what was found of it."""

    async def sound() -> AsyncIterator[bytes]:
        yield tone()

    text = {"reading_text": readings.TEXT} if "reading" in features else {}
    made = await web.grpc.create_job(sound(), features=features, display_name="Tale", **text)  # type: ignore[arg-type]
    return await ended(web.grpc, made.job_id)


async def place(page: Page) -> float:
    """Where the player is, in seconds."""
    return float(await page.get_by_role("slider", name="Position").input_value())


async def test_words_show_what_became_of_them_and_are_played_by_keys(
    library: Page, web: Web, empty_mesh: EmptyMesh
) -> None:
    find_something(empty_mesh.stages)
    made = await found(web, *BOTH)
    await library.goto(f"{web.url}/recordings/{made.job_id}")
    panel = library.get_by_role("region", name="Reading")
    await expect(panel.locator(".figures")).to_contain_text("Words correct a minute79")
    await expect(panel.locator(".figures")).to_contain_text("Right5 of 7 (71.4%)")
    text = panel.get_by_role("group", name="The text as it was read")
    await expect(text.get_by_role("button")).to_have_count(11)
    await expect(text.locator(".hesitation")).to_have_text(["‖0.7 s‖"])

    # By keys alone: to the first word, two words on, and played to its end.
    first = text.get_by_role("button", name="um: hesitation sound")
    await first.focus()
    before = await place(library)
    await library.keyboard.press("ArrowRight")
    await library.keyboard.press("ArrowRight")
    wrong = text.get_by_role("button", name="upon: another word was read, heard as “up on”")
    await expect(wrong).to_be_focused()
    assert await place(library) == before
    await library.keyboard.press("Enter")
    await expect(panel.locator(".chosen-word p").first).to_have_text(
        "upon: another word was read, heard as “up on” · 1.20 to 1.60 s · score 0.80"
    )
    audio = library.locator("audio")
    await audio.evaluate(
        "audio => audio.paused && audio.currentTime > 1.6 || "
        "new Promise(ended => audio.addEventListener('pause', ended, { once: true }))"
    )
    assert 1.6 <= await audio.evaluate("audio => audio.currentTime") < 2.4
    await expect(library.get_by_role("button", name="Play", exact=True)).to_be_visible()
    sounds = panel.get_by_role("list", name="Sounds of the word").get_by_role("button")
    assert await sounds.count() == len("up on")
    await expect(sounds.first).to_contain_text("U 0.90")

    # What was not spoken is shown and not played.
    await library.keyboard.press("Home")
    await expect(first).to_be_focused()
    skipped = text.get_by_role("button", name="a: left out")
    await skipped.click()
    await expect(panel.locator(".chosen-word p").first).to_have_text("a: left out")
    await expect(panel.get_by_role("list", name="Sounds of the word")).to_have_count(0)


async def test_words_to_look_at_lead_into_the_text(
    library: Page, web: Web, empty_mesh: EmptyMesh
) -> None:
    find_something(empty_mesh.stages)
    made = await found(web, "reading")
    await library.goto(f"{web.url}/recordings/{made.job_id}")
    # No text was asked for, so none is missing.
    panel = library.get_by_role("region", name="Reading")
    await panel.get_by_text("6 words to look at").click()
    await expect(library.get_by_role("heading", name="Transcript")).to_have_count(0)
    await panel.get_by_role("cell").get_by_role("button", name="up", exact=True).click()
    repeated = panel.get_by_role("button", name="up: read again")
    await expect(repeated).to_be_focused()
    await expect(repeated).to_have_attribute("aria-current", "true")


async def test_scores_over_time_lead_to_their_moments(
    library: Page, web: Web, empty_mesh: EmptyMesh
) -> None:
    find_something(empty_mesh.stages)
    made = await found(web, "quality")
    await library.goto(f"{web.url}/recordings/{made.job_id}")
    panel = library.get_by_role("region", name="Sound")
    await expect(panel.locator(".scores .overall")).to_contain_text("2.5 of 5 · fair")
    figures = panel.locator(".figures")
    await expect(figures).to_contain_text("Echoafter 250 ms, 8 dB lower")
    for shown in ("9 dB", "-23.1 LUFS, range 6.0 LU", "0.21% of the samples", "3.4 kHz", "25%"):
        await expect(figures).to_contain_text(shown)

    plot = panel.get_by_role("slider", name="Scores over time")
    await plot.focus()
    for window in range(3):
        await library.keyboard.press("ArrowRight")
        assert await place(library) == 5 * window
    said = "0:10 – 0:19: Whole sound 4.0, Speech 4.0, Background 4.0, level -20.0 dBFS"
    await expect(plot).to_have_attribute("aria-valuetext", said)
    await library.keyboard.press("Home")
    assert await place(library) == 0
    box = await plot.bounding_box()
    assert box
    await plot.click(position={"x": box["width"] * 0.99, "y": box["height"] / 2})
    await expect(panel.locator(".at")).to_contain_text("Whole sound 1.0")
    await panel.get_by_role("button", name="Go to 0:06").click()
    assert await place(library) == 6


async def test_scores_that_the_engine_does_not_give_are_not_shown(
    library: Page, web: Web, empty_mesh: EmptyMesh
) -> None:
    find_something(empty_mesh.stages, sound=whole_sound_alone(report(*SCORES)))
    made = await found(web, "quality")
    await library.goto(f"{web.url}/recordings/{made.job_id}")
    panel = library.get_by_role("region", name="Sound")
    await expect(panel.locator(".scores .overall")).to_contain_text("2.5 of 5 · fair")
    await expect(panel.locator(".scores dt")).to_have_text(["Whole sound"])
    await expect(panel.locator(".curves li")).to_have_text(["Whole sound"])
    await expect(panel.locator(".area g")).to_have_count(1)
    plot = panel.get_by_role("slider", name="Scores over time")
    await plot.focus()
    await library.keyboard.press("End")
    said = "0:15 – 0:24: Whole sound 1.0, level -20.0 dBFS"
    await expect(plot).to_have_attribute("aria-valuetext", said)


@pytest.mark.parametrize(("lane", "place"), [("channel", "Channel"), ("track", "Track")])
async def test_each_speaker_of_a_call_has_scores_over_time(
    library: Page, web: Web, empty_mesh: EmptyMesh, lane: Literal["channel", "track"], place: str
) -> None:
    find_a_call(empty_mesh.stages, lane)
    made = await found(web, "quality", "raw_transcript", "speakers")
    await library.goto(f"{web.url}/recordings/{made.job_id}")
    panel = library.get_by_role("region", name="Sound")
    chooser = panel.get_by_role("combobox", name="Channel or track")
    await expect(chooser.get_by_role("option")).to_have_text([f"{place} 1", f"{place} 2"])
    plot = panel.get_by_role("slider", name=f"Scores over time, {place} 1")
    await plot.press("End")
    ends = "0:15 – 0:24: Whole sound 1.0, Speech 1.7, Background 1.4, level -20.0 dBFS"
    await expect(plot).to_have_attribute("aria-valuetext", ends)
    await expect(panel.locator(".at")).to_have_text(ends)
    await expect(panel.locator(".marked")).to_have_count(1)

    # A name that somebody gives is known here at once.
    await library.get_by_role("button", name=f"{place} 2").press("Enter")
    await library.keyboard.type("Anna")
    await library.keyboard.press("Enter")
    named = f"Anna · {place} 2"
    await expect(chooser.get_by_role("option")).to_have_text([f"{place} 1", named])

    # The second one spoke for one window only, and is chosen by keys all the same.
    await chooser.press("ArrowDown")
    plot = panel.get_by_role("slider", name=f"Scores over time, {named}")
    await expect(plot).to_have_attribute(
        "aria-valuetext", "0:00 – 0:04: Whole sound 4.4, Speech 4.6, Background 4.1"
    )
    await expect(panel.locator(".area g path:not(.dots)")).to_have_count(3)
    await expect(panel.locator(".times")).to_have_text("0:000:24")
    await chooser.press("ArrowUp")
    await expect(panel.get_by_role("slider", name=f"Scores over time, {place} 1")).to_be_visible()


async def test_what_is_wrong_with_the_sound_is_said_once_in_the_reader_s_language(
    library: Page, web: Web, empty_mesh: EmptyMesh
) -> None:
    find_something(empty_mesh.stages)
    made = await found(web, "quality")
    await library.goto(f"{web.url}/recordings/{made.job_id}")
    await expect(library.get_by_role("region", name="Sound")).to_be_visible()
    english = library.get_by_text("Expect more errors in the text")
    await expect(english).to_have_count(1)
    await expect(library.get_by_role("region", name="Notes on the result")).to_contain_text(
        "Expect more errors in the text."
    )
    await library.locator(".languages").get_by_role("combobox").select_option("de")
    await expect(english).to_have_count(0)
    german = library.get_by_text("Im Text sind mehr Fehler zu erwarten")
    await expect(german).to_have_count(1)
    await expect(german).to_have_text(
        "Im Text sind mehr Fehler zu erwarten: Das Rauschen ist nur 9 dB leiser als die Sprache; "
        "die Sprache hallt, wie sie es weit weg vom Mikrofon tut (0,7 s)."
    )


async def test_what_is_to_be_known_of_a_place_is_said_where_no_text_was_asked_for(
    library: Page, web: Web, empty_mesh: EmptyMesh
) -> None:
    find_something(empty_mesh.stages)

    def lacks_two_seconds(result: preprocess.PreprocessResult) -> None:
        gap = result.warnings.add(reason="GAP", message="There is no audio from 0:02 to 0:04.")
        gap.range.start_offset.seconds, gap.range.end_offset.seconds = 2, 4

    prepare = empty_mesh.stages["preprocess"]
    prepare.answer = also(prepare.answer, lacks_two_seconds)
    made = await found(web, "quality")
    await library.goto(f"{web.url}/recordings/{made.job_id}")
    notes = library.get_by_role("region", name="Notes on the result").get_by_role("listitem")
    await expect(notes.filter(has_text="0:02 ·")).to_have_text(
        "0:02 · There is no audio from 0:02 to 0:04."
    )


async def test_each_file_of_both_can_be_downloaded(
    library: Page, web: Web, empty_mesh: EmptyMesh
) -> None:
    find_something(empty_mesh.stages)
    made = await found(web, *BOTH)
    await library.goto(f"{web.url}/recordings/{made.job_id}")
    for name, kinds in (("Sound", 3), ("Reading", 5)):
        links = library.get_by_role("region", name=name).locator("a[download]")
        await expect(links).to_have_count(kinds)
        for link in await links.all():
            got = await web.http.get(await link.get_attribute("href") or "")
            assert got.status_code == 200


async def test_words_are_never_markup(library: Page, web: Web, empty_mesh: EmptyMesh) -> None:
    read = readings.reading()
    read.words[2].heard = ATTACK
    read.words[2].text = ATTACK
    find_something(empty_mesh.stages, read)
    made = await found(web, "reading")
    await library.goto(f"{web.url}/recordings/{made.job_id}")
    await library.locator(".read-text .wrong").click()
    await expect(library.locator(".chosen-word")).to_contain_text("onerror=")
    assert await library.locator("main img").count() == 0


async def test_the_code_is_loaded_where_a_recording_needs_it(
    library: Page, web: Web, empty_mesh: EmptyMesh
) -> None:
    find_something(empty_mesh.stages)
    made = await found(web, "reading")
    loaded: list[str] = []
    library.on("request", lambda request: loaded.append(request.url))
    for path in ("/", "/upload", "/templates"):
        await library.goto(web.url + path)
        await library.wait_for_load_state("networkidle")
    assert any("/assets/index" in each for each in loaded)
    assert not any("/assets/panel" in each for each in loaded)
    await library.goto(f"{web.url}/recordings/{made.job_id}")
    await expect(library.get_by_role("region", name="Reading")).to_be_visible()
    assert any("/assets/panel" in each for each in loaded)


async def test_a_long_reading_is_drawn_whole_and_moves_by_keys(
    library: Page, web: Web, empty_mesh: EmptyMesh
) -> None:
    count = 3000
    words = [
        readings.word(
            f"word{place}", times=(place / 100, place / 100 + 0.01), ends_phrase=place % 9 == 0
        )
        for place in range(count)
    ]
    find_something(empty_mesh.stages, alignment.Reading(words=words))
    made = await found(web, "reading")
    await library.goto(f"{web.url}/recordings/{made.job_id}")
    text = library.get_by_role("group", name="The text as it was read")
    await text.locator("[data-word='0']").focus()
    await library.keyboard.press("End")
    last = text.locator(f"[data-word='{count - 1}']")
    await expect(last).to_be_focused()
    await expect(last).to_be_in_viewport()
    await expect(text.locator("[tabindex='0']")).to_have_count(1)


@pytest.mark.parametrize(
    ("scheme", "size"),
    [("light", DESK), ("dark", DESK), ("light", PHONE), ("dark", PHONE)],
    ids=["light", "dark", "light-phone", "dark-phone"],
)
async def test_neither_has_a_serious_barrier(
    browser: Browser, web: Web, empty_mesh: EmptyMesh, scheme: Any, size: Any
) -> None:
    find_something(empty_mesh.stages)
    made = await found(web, *BOTH)
    async with await browser.new_context(color_scheme=scheme, viewport=size) as context:
        page = await context.new_page()
        noted = complaints(page)
        await page.goto(f"{web.url}/recordings/{made.job_id}")
        await page.locator(".read-text .doubtful").click()
        await page.get_by_text("words to look at").click()
        await page.get_by_role("slider", name="Scores over time").focus()
        await page.keyboard.press("ArrowRight")
        await fits(page, size["width"])
        # Each word while it is played, whatever was wrong with it.
        await page.locator(".read-text .read").evaluate_all(
            "words => words.forEach(word => word.classList.add('now'))"
        )
        await fits(page, size["width"])
        # No waveform was made.
        assert [each for each in noted.errors if "404" not in each] == []


@pytest.mark.parametrize("language", ["en", "de"])
@pytest.mark.parametrize(
    ("scheme", "size"), [("light", DESK), ("dark", PHONE)], ids=["light", "dark-phone"]
)
async def test_the_plot_of_a_call_has_no_serious_barrier(
    browser: Browser, web: Web, empty_mesh: EmptyMesh, scheme: Any, size: Any, language: str
) -> None:
    find_a_call(empty_mesh.stages, "track")
    made = await found(web, "quality", "raw_transcript", "speakers")
    await web.grpc.update_job(made.job_id, speaker_names={"S2": "Wilhelmina " * 9})
    async with await browser.new_context(color_scheme=scheme, viewport=size) as context:
        page = await context.new_page()
        await page.goto(f"{web.url}/recordings/{made.job_id}")
        await page.locator(".languages").get_by_role("combobox").select_option(language)
        panel = page.locator(".sound-quality")
        await panel.get_by_role("combobox").select_option(index=1)
        await panel.get_by_role("slider").press("ArrowRight")
        await fits(page, size["width"])
