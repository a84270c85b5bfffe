"""Readings of a real person in every form, from the file to the text, with the smaller model."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.readings import FORMS, in_form
from bench.words import opened_stages, score
from tests.asr.real_models import real_model

pytestmark = [pytest.mark.unit, pytest.mark.slow]

SECONDS = 60.0
# Words of a hundred, with room for other processors: a lost sentence alone is more.
MOST_WRONG = 0.15
LOST_SECONDS = 1.0


@pytest.mark.parametrize("form", FORMS)
async def test_no_stretch_of_speech_is_lost(form: str, tmp_path: Path) -> None:
    reading = in_form(form, SECONDS)
    async with opened_stages(tmp_path, real_model("whisper-tiny.en")) as stages:
        text, unread = await stages.read(reading, 30.0)
    found = score(reading, text, LOST_SECONDS, unread)
    assert found.lost == ()
    assert found.unread == 0
    assert found.wrong <= MOST_WRONG
