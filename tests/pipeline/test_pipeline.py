"""What a table of nodes becomes, and which tables are refused."""

from __future__ import annotations

from dataclasses import replace

import pytest

from maie.common.v1 import types_pb2 as common
from maie.job.v1 import job_pb2 as job
from maie.job.v1 import record_pb2 as record
from maie.preprocess.v1 import preprocess_pb2 as preprocess
from maie_pipeline.nodes import Node, Scope, node_name
from maie_pipeline.pipeline import Pipeline
from maie_pipeline.pipelines import PIPELINES
from maie_pipeline.recording import RECORDING

pytestmark = pytest.mark.unit

ALL = job.JobConfig(features=job.Feature.keys())


def node(name: str, scope: Scope, *needs: tuple[str, ...], cuts: bool = False) -> Node:
    return Node(
        name=name,
        stage=common.STAGE_ASR,
        scope=scope,
        state=job.JOB_STATE_PROCESSING_ASR,
        needs=needs,
        request=lambda *_: preprocess.PreprocessRequest(),
        output=common.Transcript,
        cuts=cuts,
    )


CUT = node("cut", Scope.JOB, cuts=True)
EACH = node("each", Scope.CHUNK, ("cut",))


def units_of(pipeline: Pipeline, config: job.JobConfig, chunk_count: int) -> list[record.Unit]:
    units = list(pipeline.first_units(config))
    return units + list(pipeline.chunk_units(config, chunk_count, units))


def needs_of(units: list[record.Unit]) -> dict[str, list[str]]:
    """The names of the units that each unit needs."""
    return {each.unit: [units[place].unit for place in each.needs.places] for each in units}


def test_a_table_holds_each_pipeline_under_its_name() -> None:
    assert {name: each.name for name, each in PIPELINES.items()} == {
        name: name for name in ("recording", "live_session", "live_session_with_audio", "revision")
    }


@pytest.mark.parametrize(
    ("chunks", "expected"),
    [
        (0, {"preprocess": [], "summary.reduce": []}),
        (
            1,
            {
                "preprocess": [],
                "asr.0000": ["preprocess"],
                "enhancement.0000": ["asr.0000"],
                "summary.reduce": ["enhancement.0000"],
            },
        ),
        (
            2,
            {
                "preprocess": [],
                "asr.0000": ["preprocess"],
                "asr.0001": ["preprocess"],
                "enhancement.0000": ["asr.0000"],
                "enhancement.0001": ["asr.0001"],
                "summary.map.0000": ["enhancement.0000"],
                "summary.map.0001": ["enhancement.0001"],
                "summary.reduce": ["summary.map.0000", "summary.map.0001"],
            },
        ),
    ],
)
def test_what_the_units_of_a_recording_need(chunks: int, expected: dict[str, list[str]]) -> None:
    units = units_of(RECORDING, job.JobConfig(features=[job.FEATURE_SUMMARY]), chunks)
    assert needs_of(units) == expected
    assert all(unit.HasField("needs") for unit in units)


def test_speakers_are_told_beside_the_text_and_before_it_is_cleaned() -> None:
    needs = needs_of(units_of(RECORDING, ALL, 2))
    maps = ["diarization.map.0000", "diarization.map.0001"]
    assert needs["diarization.map.0001"] == ["preprocess"]
    assert needs["diarization.reduce"] == maps
    assert needs["diarization.merge.0001"] == ["asr.0001", "diarization.reduce"]
    assert needs["enhancement.0001"] == ["diarization.merge.0001"]
    assert needs["summary.reduce"] == ["summary.map.0000", "summary.map.0001"]
    nobody = needs_of(units_of(RECORDING, ALL, 0))
    assert nobody == {
        "preprocess": [],
        "quality.reduce": ["preprocess"],
        "alignment": ["preprocess"],
        "diarization.reduce": [],
        "summary.reduce": [],
        "digest": ["summary.reduce"],
    }


def test_the_summary_is_spoken_when_it_is_there() -> None:
    assert needs_of(units_of(RECORDING, ALL, 2))["digest"] == ["summary.reduce"]


def test_the_sound_is_measured_beside_the_text_and_alone_without_any() -> None:
    needs = needs_of(units_of(RECORDING, ALL, 2))
    assert needs["quality.map.0001"] == ["preprocess"]
    assert needs["quality.reduce"] == ["preprocess", "quality.map.0000", "quality.map.0001"]
    alone = needs_of(units_of(RECORDING, job.JobConfig(features=["FEATURE_QUALITY"]), 2))
    assert list(alone) == ["preprocess", "quality.map.0000", "quality.map.0001", "quality.reduce"]


def test_a_text_is_compared_with_the_words_of_all_chunks() -> None:
    needs = needs_of(units_of(RECORDING, job.JobConfig(features=["FEATURE_READING"]), 2))
    assert list(needs) == ["preprocess", "asr.0000", "asr.0001", "alignment"]
    assert needs["alignment"] == ["preprocess", "asr.0000", "asr.0001"]


def test_a_unit_may_need_several_nodes_and_the_first_of_a_group_that_is_there() -> None:
    pipeline = Pipeline(
        name="two",
        nodes=(
            CUT,
            EACH,
            replace(node("other", Scope.CHUNK, ("each",)), min_chunks=3),
            node("both", Scope.CHUNK, ("other", "each"), ("cut",)),
            node("join", Scope.JOIN, ("both",), ("other",)),
        ),
    )
    needs = needs_of(units_of(pipeline, ALL, 2))
    assert needs["both.0001"] == ["each.0001", "cut"]
    assert needs["join"] == ["both.0000", "both.0001"]
    needs = needs_of(units_of(pipeline, ALL, 3))
    assert needs["both.0001"] == ["other.0001", "cut"]
    assert needs["join"] == [
        *("both.0000", "both.0001", "both.0002"),
        *("other.0000", "other.0001", "other.0002"),
    ]


def test_a_unit_of_a_chunk_may_need_what_joins_all_chunks() -> None:
    join = node("join", Scope.JOIN, ("each",))
    more = node("more", Scope.CHUNK, ("each",), ("join",))
    needs = needs_of(units_of(Pipeline(name="back", nodes=(CUT, EACH, join, more)), ALL, 2))
    assert needs["more.0001"] == ["each.0001", "join"]


@pytest.mark.parametrize(
    ("nodes", "why"),
    [
        ((CUT, CUT), "two nodes cut"),
        ((node("cut.0001", Scope.JOB),), "named like a chunk"),
        ((CUT, node("again", Scope.JOB, cuts=True)), "again cannot cut"),
        ((CUT, replace(EACH, cuts=True)), "each cannot cut"),
        ((CUT, replace(EACH, given=True)), "each cannot be given"),
        ((node("whole", Scope.JOB), node("each", Scope.CHUNK)), "no node before it cuts"),
        ((CUT, node("each", Scope.CHUNK, ("later",)), node("later", Scope.JOB)), "no node before"),
        ((CUT, EACH, node("whole", Scope.JOB, ("each",))), "only later"),
    ],
)
def test_a_table_that_is_no_graph_is_refused_with_a_reason(
    nodes: tuple[Node, ...], why: str
) -> None:
    with pytest.raises(ValueError, match=why):
        Pipeline(name="wrong", nodes=nodes)


def test_a_unit_names_its_node() -> None:
    names = ["preprocess", "asr.0003", "asr.10000", "summary.map.0001", "summary.reduce"]
    expected = ["preprocess", "asr", "asr", "summary.map", "summary.reduce"]
    assert [node_name(name) for name in names] == expected
