"""Reconnects come quickly here: what is tested is what they do, not how long they wait."""

from __future__ import annotations

import pytest

from maie_client import follow


@pytest.fixture(autouse=True)
def quick_reconnects(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(follow, "FIRST_DELAY_SECONDS", 0.001)
