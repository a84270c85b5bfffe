"""Each stage's place in the contract."""

from __future__ import annotations

from dataclasses import replace

import pytest

from maie.common.v1 import types_pb2 as common
from maie.event.v1 import event_pb2 as event
from maie.preprocess.v1 import preprocess_pb2 as preprocess
from maie_pipeline.bindings import BINDINGS, StageBinding, binding_of

pytestmark = pytest.mark.unit

# A stage of another distribution, whose messages this contract does not name.
FOREIGN = StageBinding(
    slug="quality",
    stage=100,  # type: ignore[arg-type]
    service="org.example.QualityService",
    method="Measure",
    request=preprocess.PreprocessResult,
    response=preprocess.PreprocessResponse,
)
ALL = [*BINDINGS.values(), FOREIGN]


def test_every_stage_of_the_contract_has_a_row() -> None:
    assert sorted(binding.stage for binding in BINDINGS.values()) == common.Stage.values()[1:]
    assert all(binding_of(binding.stage) is binding for binding in BINDINGS.values())
    assert binding_of(common.STAGE_UNSPECIFIED) is binding_of(100) is None


@pytest.mark.parametrize("binding", ALL, ids=lambda binding: binding.slug)
def test_a_task_and_news_bring_what_was_put_into_them(binding: StageBinding) -> None:
    task = event.StageTask()
    binding.set_request(task, binding.request())
    task = event.StageTask.FromString(task.SerializeToString())
    assert binding.request_of(task) == binding.request()
    news = event.UnitProgress.FromString(
        binding.progress_of(binding.response()).SerializeToString()
    )
    assert binding.response_of(news) == binding.response()
    for other in ALL:
        if other is not binding:
            assert other.request_of(task) is None
            assert other.response_of(news) is None


def test_an_empty_task_is_no_stages() -> None:
    assert all(binding.request_of(event.StageTask()) is None for binding in ALL)


def test_the_messages_of_another_foreign_stage_are_not_taken() -> None:
    task = event.StageTask()
    FOREIGN.set_request(task, preprocess.PreprocessResult())
    assert replace(FOREIGN, request=preprocess.AudioQuality).request_of(task) is None
