"""The page of a reading, in a browser: what it shows, what it plays, and what it never does."""

from __future__ import annotations

import re
import wave
from pathlib import Path

import pytest
from playwright.async_api import Page, expect

from maie.alignment.v1 import alignment_pb2 as alignment
from maie_formats.readings.page import page as page_of
from maie_formats.readings.report import LABELS, ReadingReport, class_of
from tests.browser import browser, complaints, needs_chromium, page, serving  # noqa: F401
from tests.formats.readings import TEXT, reading, word

pytestmark = pytest.mark.unit

NASTY = "</title><script>alert(1)</script>\"'&.wav"


def made(audio: str = "talk.wav", **of: object) -> str:
    """The page of the reading."""
    given = {"reading": reading(), "name": NASTY, "text": TEXT, "audio": audio} | of
    return page_of(ReadingReport(**given))  # type: ignore[arg-type]


def test_what_users_write_is_text():
    content = made(audio='"><script>alert(2)</script>')
    assert content.count("<script>") == 1
    assert "<b>" not in content
    assert 'src="&quot;&gt;&lt;script&gt;' in content


def test_each_outcome_has_a_mark_and_an_entry_of_the_legend():
    content = made()
    there = {class_of(each) for each in reading().words}
    assert there == set(LABELS)
    style = content.partition("</style>")[0]
    for kind, label in LABELS.items():
        assert f'class="word {kind}"' in content
        assert f"</span> {label}</li>" in content
        rules = "".join(re.findall(rf"\.{kind}[^{{]*\{{[^}}]*\}}", style))
        # Who does not see colours sees these.
        assert kind == "correct" or re.search("content|text-decoration|font-style", rules)


def test_a_reading_without_words_has_a_page():
    assert "0 of 0" in made(reading=alignment.Reading(), text="", audio="")
    assert "<audio" not in made(audio="")


@needs_chromium
async def test_a_word_that_is_chosen_is_played(page: Page, tmp_path: Path):  # noqa: F811
    with wave.open(str(tmp_path / "talk.wav"), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(bytes(2 * 8000 * 60))
    (tmp_path / "page.html").write_text(made(), encoding="utf-8")
    problems = complaints(page)
    with serving(tmp_path) as address:
        await page.goto(f"{address}page.html")
        words = page.locator(".read [role=button]")
        assert await words.count() == len(reading().words)
        await words.nth(1).click()
        await expect(page.locator(".details")).to_contain_text("Once, read correctly; 0.50 to 1.00")
        # It has played the word, and no more.
        await expect(page.locator("audio")).to_have_js_property("paused", True)
        assert await page.evaluate("document.querySelector('audio').currentTime") > 0.99
        await expect(page.locator("audio")).to_have_js_property("ended", False)
        await page.keyboard.press("ArrowRight")
        await expect(words.nth(2)).to_be_focused()
        await page.keyboard.press("Enter")
        await expect(page.locator(".details")).to_contain_text("up on; 1.20 to 1.60 s; score 0.80")
        # One stop of the tabulator for all words, however many they are.
        assert await page.locator('.read [tabindex="0"]').count() == 1
        await page.locator("table button", has_text="old").click()
        await expect(words.nth(6)).to_be_focused()
    assert (problems.errors, problems.elsewhere) == ([], [])


@needs_chromium
@pytest.mark.parametrize("theme", ["light", "dark"])
async def test_all_colours_can_be_read(page: Page, tmp_path: Path, theme):  # noqa: F811
    (tmp_path / "page.html").write_text(made(audio=""), encoding="utf-8")
    await page.emulate_media(color_scheme=theme)
    with serving(tmp_path) as address:
        await page.goto(f"{address}page.html")
        colours = await page.evaluate(
            """() => [...document.querySelectorAll('.read .word, .pause, dt, p, h1')].map((each) =>
              [each, document.body].map((of) => getComputedStyle(of)).map(
                (style, at) => (at ? style.backgroundColor : style.color)))"""
        )
    assert len(colours) > len(reading().words)
    # Level AA of WCAG 2.2, success criterion 1.4.3.
    assert min(contrast(*pair) for pair in colours) >= 4.5


def contrast(front: str, back: str) -> float:
    """The contrast of two colours, as WCAG defines it."""
    lighter, darker = sorted(map(luminance, (front, back)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def luminance(colour: str) -> float:
    """The relative luminance of "rgb(R, G, B)"."""
    shares = [int(each) / 255 for each in re.findall(r"\d+", colour)[:3]]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in shares]
    return sum(weight * c for weight, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def test_many_words_make_a_page():
    words = [word("so", at=3 * place, times=(place, place + 0.5)) for place in range(5000)]
    content = made(reading=alignment.Reading(words=words), text="so " * 5000)
    assert content.count('<span role="button"') == 5000
