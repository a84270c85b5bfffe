"""Which sound of a recording may be asked for."""

from __future__ import annotations

from typing import Any

import pytest

from maie.job.v1 import job_pb2 as job
from maie.preprocess.v1 import preprocess_pb2 as preprocess
from maie_core.errors import Code, StageError
from maie_gateway.intake.submit_config import settled_config

pytestmark = pytest.mark.unit


def config(**options: Any) -> job.JobConfig:
    return job.JobConfig(
        features=[job.FEATURE_RAW_TRANSCRIPT],
        recording_options=preprocess.RecordingOptions(**options),
    )


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"track": 3},
        {"all_tracks": True},
        {"channels": preprocess.CHANNEL_MODE_SPLIT, "all_tracks": True},
    ],
)
def test_what_can_be_read_is_kept(options: dict[str, Any]) -> None:
    asked = config(**options)
    assert settled_config(asked).recording_options == asked.recording_options


@pytest.mark.parametrize(
    ("options", "field"),
    [
        ({"track": -1}, "track"),
        ({"track": 1, "all_tracks": True}, "track"),
        ({"channels": 9}, "channels"),
    ],
)
def test_what_nobody_can_mean_is_refused(options: dict[str, Any], field: str) -> None:
    with pytest.raises(StageError) as caught:
        settled_config(config(**options))
    assert caught.value.code is Code.INVALID_ARGUMENT
    assert caught.value.reason == "OPTION_OUT_OF_RANGE"
    assert caught.value.field == f"config.recording_options.{field}"
