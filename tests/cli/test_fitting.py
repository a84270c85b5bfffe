"""What `maie up` takes of the machine to transcribe, and what it says of that."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from maie_cli.mesh import Layout, MeshOptions
from maie_cli.mesh.fitting import fit_asr
from maie_cli.mesh.parts import plan

pytestmark = pytest.mark.unit

SLOTS, THREADS = "MAIE_ASR_SLOTS", "MAIE_ASR_WHISPER_CPU_THREADS"
WHISPER = {"MAIE_ASR_ENGINE": "whisper"}


@pytest.mark.parametrize(
    ("cores", "workers", "slots", "threads"),
    [(1, 1, 1, 1), (2, 1, 2, 1), (2, 2, 1, 1), (2, 3, 1, 1), (8, 2, 4, 1), (6, 4, 1, 1),
     (7, 4, 1, 1), (8, 5, 1, 1), (32, 1, 8, 4), (64, 1, 8, 4), (12, 1, 8, 1)],
)  # fmt: skip
def test_workers_slots_and_threads_share_the_cores(
    cores: int, workers: int, slots: int, threads: int
) -> None:
    fit = fit_asr(WHISPER, workers, cores)
    assert fit.environment == {SLOTS: str(slots), THREADS: str(threads)}
    assert workers * slots * threads <= max(cores, workers)


def test_it_is_said_in_a_line() -> None:
    assert fit_asr(WHISPER, 1, 2).sentence == (
        "whisper whisper-base on cpu, 1 worker with 2 slots of 1 thread; maie may use "
        "2 cores, and a slot for each is the fastest"
    )


@pytest.mark.parametrize(
    ("set_", "chosen", "said"),
    [
        ({SLOTS: "1"}, {THREADS: "4"}, "1 slot (MAIE_ASR_SLOTS) of 4 threads; maie may use 4 c"),
        ({SLOTS: "2"}, {THREADS: "2"}, "2 slots (MAIE_ASR_SLOTS) of 2 threads;"),
        ({THREADS: "3"}, {SLOTS: "4"}, "4 slots of 3 threads (MAIE_ASR_WHISPER_CPU_THREADS);"),
        ({THREADS: "0"}, {SLOTS: "4", THREADS: "1"}, "4 slots of 1 thread;"),
        ({"OMP_NUM_THREADS": "2"}, {SLOTS: "4"}, "4 slots of 2 threads (OMP_NUM_THREADS);"),
        ({SLOTS: "many"}, {THREADS: "4"}, "1 slot (MAIE_ASR_SLOTS)"),
    ],
)
def test_what_a_person_set_stays(set_: dict[str, str], chosen: dict[str, str], said: str) -> None:
    fit = fit_asr(WHISPER | set_, 1, 4)
    assert fit.environment == chosen
    assert said in fit.sentence


def test_joined_requests_compute_one_at_a_time() -> None:
    fit = fit_asr(WHISPER | {"MAIE_ASR_WHISPER_CROSS_BATCH_SIZE": "8"}, 1, 4)
    assert fit.environment == {SLOTS: "4", THREADS: "4"}


def test_nothing_is_chosen_on_a_gpu_or_for_an_engine_of_others() -> None:
    gpu = WHISPER | {
        "MAIE_ASR_WHISPER_DEVICE": "cuda",
        "MAIE_ASR_WHISPER_MODEL_PATH": "/models/large-v3",
    }
    assert fit_asr(gpu, 1, 16).environment == {}
    assert fit_asr(gpu, 1, 16).sentence == "whisper large-v3 on cuda, 1 worker with 1 slot"
    assert fit_asr({"MAIE_ASR_ENGINE": "theirs"}, 1, 16).environment == {}


def test_engines_without_threads_or_slots_take_what_they_can() -> None:
    sphinx = fit_asr({"MAIE_ASR_ENGINE": "pocketsphinx"}, 2, 4)
    assert sphinx.environment == {SLOTS: "2"}
    assert "pocketsphinx on cpu, 2 workers with 2 slots; maie may use 4 cores" in sphinx.sentence
    former = fit_asr({"MAIE_ASR_ENGINE": "chunkformer"}, 1, 4)
    assert former.environment == {"MAIE_ASR_CHUNKFORMER_CPU_THREADS": "4"}


def test_every_asr_worker_of_a_mesh_gets_its_share(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("maie_cli.mesh.parts.usable_cores", lambda: 8)
    for name in (SLOTS, THREADS, "OMP_NUM_THREADS"):
        monkeypatch.delenv(name, raising=False)
    layout = Layout(tmp_path)
    layout.create()
    options = MeshOptions(data=tmp_path, port_base=0, workers={"asr": 2}, environment=WHISPER)
    parts = {part.name: part.environment for part in plan(options, layout)}
    for name in ("asr", "asr-2"):
        assert (parts[name][SLOTS], parts[name][THREADS]) == ("4", "1")
    assert SLOTS not in os.environ
    monkeypatch.setenv(SLOTS, "3")
    parts = {part.name: part.environment for part in plan(options, layout)}
    assert parts["asr"][SLOTS] == "3"
