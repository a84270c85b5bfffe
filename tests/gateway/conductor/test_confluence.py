"""Whatever the order, the same answers lead to the same end."""

from __future__ import annotations

import random
from dataclasses import dataclass, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from maie.common.v1 import types_pb2 as common
from maie.event.v1 import event_pb2 as event
from maie.job.v1 import job_pb2 as job
from maie.job.v1 import record_pb2 as record
from maie_gateway.conductor import FINAL_STATES, advance, pending_tasks, task_id
from tests.gateway.conductor.world import (
    ALL_FEATURES,
    CLEAN,
    EVERY_STAGE,
    METRICS,
    NOW,
    POLICY,
    QUALITY,
    SPEAKERS,
    SUMMARY,
    blob,
    cancel,
    completed,
    failed,
    log_lines,
    new_job,
    release,
    retry,
    started,
    unit_states,
)
from tests.properties import examples

pytestmark = pytest.mark.unit

MAX_CHUNKS = 4
UNITS = ["preprocess", "quality.reduce", "diarization.reduce", "summary.reduce"] + [
    f"{stage}.{index:04d}"
    for stage in (
        "asr",
        "quality.map",
        "diarization.map",
        "diarization.merge",
        "enhancement",
        "summary.map",
    )
    for index in range(MAX_CHUNKS)
]


@dataclass(kw_only=True, frozen=True)
class Script:
    """How a job will go.

    Attributes:
        features: What is asked for.
        chunks: How many chunks the recording is cut into.
        punctuated: Which chunks' text is punctuated by ASR.
        measured: Whether the mesh measures the sound, though nobody asked for it.
        failures: For a unit, whether each of its first attempts fails
            retryably (True) or for good (False); the next one completes.
    """

    features: frozenset[job.Feature]
    chunks: int
    punctuated: frozenset[int]
    measured: bool
    failures: dict[str, list[bool]]

    def answer(self, task: event.StageTask) -> event.StageEvent:
        """What the worker says of an attempt."""
        failures = self.failures.get(task.unit, [])
        if task.attempt <= len(failures):
            return failed(task, retryable=failures[task.attempt - 1])
        node, _, index = task.unit.rpartition(".")
        has_words = node in ("asr", "diarization.merge")
        punctuated = has_words and int(index) in self.punctuated
        return completed(task, chunks=self.chunks, punctuated=punctuated)

    def succeeds(self, unit: str) -> bool:
        """Whether a unit completes once it runs."""
        failures = self.failures.get(unit, [])
        return all(failures) and len(failures) <= POLICY.max_retries

    def end(self) -> dict[str, str]:
        """How each unit ends: the graph's meaning, written down a second time."""
        states = {"preprocess": self._end("preprocess", [])}
        if states["preprocess"] == "FAILED":
            return states
        chunks = [f"{index:04d}" for index in range(self.chunks)]
        if self.measured:
            sounds = {
                f"quality.map.{each}": self._end(f"quality.map.{each}", []) for each in chunks
            }
            report = self._end("quality.reduce", list(sounds.values()))
            states |= sounds | {"quality.reduce": report}
        if SPEAKERS in self.features:
            names = [f"diarization.map.{index}" for index in chunks]
            maps = {name: self._end(name, []) for name in names}
            reduce = self._end("diarization.reduce", list(maps.values()))
            states |= maps | {"diarization.reduce": reduce}
        for index in chunks:
            self._chunk(states, index, int(index) in self.punctuated)
        if SUMMARY in self.features:
            read = "summary.map." if self.chunks > 1 else "enhancement."
            parts = [state for unit, state in states.items() if unit.startswith(read)]
            states["summary.reduce"] = self._end("summary.reduce", parts)
        return states

    def _chunk(self, states: dict[str, str], index: str, punctuated: bool) -> None:
        words = states[f"asr.{index}"] = self._end(f"asr.{index}", [])
        if SPEAKERS in self.features:
            merge = f"diarization.merge.{index}"
            words = states[merge] = self._end(merge, [words, states["diarization.reduce"]])
        if not self.features & {CLEAN, METRICS, SUMMARY}:
            return
        skipped = punctuated and words == "COMPLETED"
        clean = "SKIPPED" if skipped else self._end(f"enhancement.{index}", [words])
        states[f"enhancement.{index}"] = clean
        if SUMMARY in self.features and self.chunks > 1:
            states[f"summary.map.{index}"] = self._end(f"summary.map.{index}", [clean])

    def _end(self, unit: str, needs: list[str]) -> str:
        if {"FAILED", "BLOCKED"} & set(needs):
            return "BLOCKED"
        return "COMPLETED" if self.succeeds(unit) else "FAILED"


scripts = st.builds(
    Script,
    features=st.frozensets(st.sampled_from(ALL_FEATURES), min_size=1),
    chunks=st.integers(0, MAX_CHUNKS),
    punctuated=st.frozensets(st.integers(0, MAX_CHUNKS - 1)),
    measured=st.booleans(),
    failures=st.dictionaries(
        st.sampled_from(UNITS),
        st.lists(st.booleans() | st.just(True), max_size=POLICY.max_retries + 1),
        max_size=3,
    ),
)


def play(
    script: Script, order: random.Random, source: record.JobRecord | None = None
) -> record.JobRecord:
    """Runs a job to its end with every disturbance that the mesh can have.

    Workers come and go, so that the window is another one at each event.
    """
    source = source or new_job(script.features, added=[QUALITY] * script.measured).record
    queue: list[event.StageTask] = []
    history: list[event.StageEvent] = []
    while tasks := queue or pending_tasks(source):
        queue = list(tasks)
        task = queue.pop(order.randrange(len(queue)))
        told = [script.answer(task), *order.sample(history, min(2, len(history)))]
        if order.random() < 0.2:
            told.append(started(task))
        order.shuffle(told)
        history += told
        for said in told:
            window = {stage: order.randrange(4) for stage in EVERY_STAGE}
            step = advance(source, said, replace(POLICY, window=window), NOW)
            source = step.record
            # A crash between storing and publishing loses the step's tasks.
            queue += step.tasks if order.random() < 0.8 else ()
        if order.random() < 0.1:
            queue += pending_tasks(source)
    return source


@settings(max_examples=examples(150))
@given(scripts, st.integers(0, 2**32), st.integers(0, 2**32))
def test_the_end_depends_on_the_answers_and_not_on_their_order(
    script: Script, seed: int, other_seed: int
) -> None:
    one = play(script, random.Random(seed))
    other = play(script, random.Random(other_seed))
    expected = script.end()
    assert unit_states(one) == expected
    assert list(one.units) == list(other.units)
    lost = {"FAILED", "BLOCKED"} & set(_asked(expected).values())
    assert one.state == other.state
    assert one.state == (job.JOB_STATE_FAILED if lost else job.JOB_STATE_COMPLETE)
    outputs = {unit.unit: unit.output for unit in one.units if unit.HasField("output")}
    skipped = {name for name, state in expected.items() if state == "SKIPPED"}
    words = "diarization.merge" if SPEAKERS in script.features else "asr"
    assert outputs == {
        name: blob(name.replace("enhancement", words) if name in skipped else name)
        for name, state in expected.items()
        if state in ("COMPLETED", "SKIPPED")
    }


@settings(max_examples=examples(100))
@given(scripts, st.integers(0, 2**32), st.integers(0, 3))
def test_retries_lead_to_the_end_without_failures(script: Script, seed: int, cancels: int) -> None:
    order = random.Random(seed)
    source = new_job(script.features, held=True, added=[QUALITY] * script.measured).record
    for _ in range(cancels):
        for told in (release(), cancel(), retry()):
            source = advance(source, told, POLICY, NOW).record
    source = advance(source, release(), POLICY, NOW).record
    kept: dict[str, common.Blob] = {}
    while source.state not in FINAL_STATES:
        source = play(script, order, source)
        outputs = {unit.unit: unit.output for unit in source.units if unit.HasField("output")}
        assert kept.items() <= outputs.items()
        kept = outputs
        source = advance(source, retry(), POLICY, NOW).record
    assert source.state == job.JOB_STATE_COMPLETE
    ended = replace(script, failures={}).end()
    assert _asked(unit_states(source)) == _asked(ended)
    assert not any(unit.HasField("failure") for unit in source.units if not unit.is_optional)


def _asked(states: dict[str, str]) -> dict[str, str]:
    """Of states of units, those of what was asked for: without it a job is not complete."""
    return {name: state for name, state in states.items() if not name.startswith("quality")}


@settings(max_examples=examples(75))
@given(scripts, st.integers(0, 2**32))
def test_every_attempt_is_told_once(script: Script, seed: int) -> None:
    lines = log_lines(play(script, random.Random(seed)))
    assert len(lines) == len(set(lines))
    ended = {line for line in lines if "/" in line}
    for unit, state in script.end().items():
        attempts = {line for line in ended if line.startswith(f"{unit}/")}
        assert sum(line.endswith(f" {state}") for line in attempts) >= 1
        assert all(line.endswith((" QUEUED", f" {state}")) for line in attempts)


def test_ids_name_job_unit_and_attempt() -> None:
    (task,) = new_job().tasks
    assert task_id(task) == f"{task.job_id}/preprocess/1"
