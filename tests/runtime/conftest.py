"""A stage without an engine."""

from __future__ import annotations

import pytest

from tests.empty_stages import EmptyStage, empty_stages


@pytest.fixture
def stage() -> EmptyStage:
    """An ASR stage without an engine."""
    return empty_stages()["asr"]
