"""How many threads a recognition with Whisper takes on a CPU."""

from __future__ import annotations

import pytest

from maie_asr.engines.whisper.model import cpu_threads
from maie_asr.settings import WhisperSettings

pytestmark = pytest.mark.unit


@pytest.fixture(autouse=True)
def eight_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    """Eight cores, whatever the machine under test has."""
    monkeypatch.setattr("maie_asr.engines.whisper.model.usable_cores", lambda: 8)
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)


@pytest.mark.parametrize(("slots", "threads"), [(1, 4), (2, 4), (4, 2), (8, 1), (16, 1)])
def test_slots_share_the_cores(slots: int, threads: int) -> None:
    assert cpu_threads(WhisperSettings(), slots) == threads


def test_what_a_person_set_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    assert cpu_threads(WhisperSettings(cpu_threads=6), 2) == 6
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    assert cpu_threads(WhisperSettings(), 2) == 0
    assert cpu_threads(WhisperSettings(cpu_threads=6), 2) == 6
