"""Whose notes a summary worker reads."""

from __future__ import annotations

import pytest

from maie.common.v1 import types_pb2 as common
from maie_summary.parts import is_same_engine

pytestmark = pytest.mark.unit


def engine(**parameters: str) -> common.EngineVersion:
    return common.EngineVersion(engine="openai", model_name="qwen3-8b", parameters=parameters)


def test_an_engine_reads_notes_from_before_its_server_told_of_itself() -> None:
    told = engine(seed="0", server_model='"qwen3-8b"', system_fingerprint='"fp_1"')
    assert is_same_engine(engine(seed="0"), told)
    assert "system_fingerprint" in told.parameters


def test_an_engine_reads_no_notes_of_other_settings() -> None:
    assert not is_same_engine(engine(seed="0"), engine(seed="1"))
