"""What `to_dict` writes, `from_dict` reads."""

from __future__ import annotations

import pytest

from maie.common.v1 import types_pb2 as common
from maie.job.v1 import job_pb2 as job
from maie_formats.as_json import to_dict
from maie_formats.from_json import from_dict

pytestmark = pytest.mark.unit


def test_a_message_comes_back_as_it_was() -> None:
    made = job.Job(
        job_id="j",
        state=job.JOB_STATE_COMPLETE,
        config=job.JobConfig(
            features=[job.FEATURE_SUMMARY, job.FEATURE_RAW_TRANSCRIPT],
            lane=job.LANE_BATCH,
            labels={"state": "COMPLETE", "a": ""},
        ),
        progress=[job.StageProgress(stage=common.STAGE_ASR, fraction=0.5)],
    )
    made.config.chunk_duration.FromMilliseconds(12_300)
    made.create_time.FromSeconds(5)
    assert from_dict(to_dict(made), job.Job()) == made


def test_long_names_are_taken_too() -> None:
    assert from_dict({"features": ["FEATURE_SUMMARY"]}, job.JobConfig()).features == [
        job.FEATURE_SUMMARY
    ]


@pytest.mark.parametrize(
    "values",
    [
        {"features": ["nothing"]},
        {"features": "summary"},
        {"feature": []},
        {"labels": {"a": 1}},
        {"labels": ["a"]},
        {"chunk_duration": "5"},
        {"asr_options": 5},
        {"asr_options": {"beam": 1}},
    ],
)
def test_what_does_not_fit_is_refused(values: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        from_dict(values, job.JobConfig())
