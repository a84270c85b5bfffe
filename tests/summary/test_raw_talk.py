"""Text as a speech engine writes it, through both embedded engines."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from maie_enhancement.engine import Segment as RawSegment
from maie_enhancement.engines.rules import create as create_rules
from maie_enhancement.settings import EnhancementSettings
from maie_llm import Generation
from maie_summary.engine import Segment
from maie_summary.engines.extractive import create as create_extractive
from maie_summary.settings import SummarySettings
from maie_templates import TemplateLibrary

pytestmark = pytest.mark.unit

SAMPLE = Path(__file__).parents[2] / "samples" / "standup.txt"


async def test_the_sample_without_case_and_punctuation_gives_the_right_notes() -> None:
    lines = [line.partition(": ")[2] for line in SAMPLE.read_text().splitlines()]
    raw = [
        RawSegment(text=re.sub(r"[.,?!]", "", line).lower(), start=5.0 * at, end=5.0 * at + 4.4)
        for at, line in enumerate(lines)
    ]
    async with create_rules(EnhancementSettings()) as rules:
        clean = [piece.text async for piece in rules.enhance(raw, "en-US", Generation())]
    assert clean == [line.replace(",", "") for line in lines]

    template = TemplateLibrary().get("meeting_notes_v1")
    segments = [Segment(segment_id=f"s{at}", text=text) for at, text in enumerate(clean)]
    async with create_extractive(SummarySettings()) as extractive:
        notes = await extractive.map(segments, template, "en-US")
        content = (await extractive.reduce([notes], template, Generation())).content
    assert content["decisions"] == [
        "We decided to release the new version on Thursday.",
        "We also decided to keep the old price for current customers.",
    ]
    assert [tuple(item.values()) for item in content["action_items"]] == [
        ("Write the release notes", "David", "Wednesday"),
        ("Send the invoice to the customer", "Susan", "Friday"),
        ("Move the database to a new machine", "Michael", "next Tuesday"),
    ]
    assert content["questions"] == [
        "What do the customers think of the new page?",
        "Who will write the release notes?",
        "What happened to the payment system on Monday?",
        "Do we need more people for the support team?",
    ]
