"""What `maie up` takes of the machine to transcribe, and what it says of that."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from maie_cli.mesh.fitting import LIVE_WORKERS, Fit, fit_asr
from maie_cli.mesh.layout import Layout
from maie_cli.mesh.options import MeshOptions
from maie_cli.mesh.parts import plan

pytestmark = pytest.mark.unit

SLOTS, THREADS = "MAIE_ASR_SLOTS", "MAIE_ASR_WHISPER_CPU_THREADS"
WHISPER = {"MAIE_ASR_ENGINE": "whisper"}


MEMORY = 64 * 1024**3


@pytest.fixture(autouse=True)
def no_person(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No settings of whoever runs the tests, and no model whose size counts."""
    for name in list(os.environ):
        if name.startswith("MAIE_") or name == "OMP_NUM_THREADS":
            monkeypatch.delenv(name)
    monkeypatch.setenv("MAIE_MODELS_DIR", str(tmp_path / "none"))


def without_live(fit: Fit) -> dict[str, str]:
    """What is chosen for recordings."""
    return {name: value for name, value in fit.environment.items() if name != LIVE_WORKERS}


@pytest.mark.parametrize(
    ("cores", "asked", "workers", "slots", "threads"),
    [(1, None, 1, 1, 1), (2, None, 2, 1, 1), (3, None, 3, 1, 1), (4, None, 4, 1, 1),
     (8, None, 4, 2, 1), (32, None, 4, 8, 1), (64, None, 4, 8, 2), (128, None, 4, 8, 4),
     (1, 1, 1, 1, 1), (2, 1, 1, 2, 1), (2, 2, 2, 1, 1), (2, 3, 3, 1, 1), (8, 2, 2, 4, 1),
     (7, 4, 4, 1, 1), (32, 1, 1, 8, 4)],
)  # fmt: skip
def test_workers_slots_and_threads_share_the_cores(
    cores: int, asked: int | None, workers: int, slots: int, threads: int
) -> None:
    fit = fit_asr(WHISPER, asked, cores, MEMORY)
    assert without_live(fit) == {SLOTS: str(slots), THREADS: str(threads)}
    live = int(fit.environment.get(LIVE_WORKERS, cores))
    assert max(1, live) * workers <= max(cores, workers)
    assert (fit.workers, fit.slots) == (workers, slots)
    assert workers * slots * threads <= max(cores, workers)


def test_workers_fit_into_memory(tmp_path: Path) -> None:
    with (tmp_path / "model.bin").open("wb") as file:
        file.truncate(3 * 1024**3)
    large = WHISPER | {"MAIE_ASR_WHISPER_MODEL_PATH": str(tmp_path)}
    for memory, workers, slots in ((4, 1, 8), (16, 1, 8), (32, 2, 4), (64, 4, 2)):
        fit = fit_asr(large, None, 8, memory * 1024**3)
        assert (fit.workers, fit.slots) == (workers, slots)
    assert fit_asr(WHISPER, None, 2, 600 * 1024**2).workers == 1


def test_it_is_said_in_a_line() -> None:
    assert fit_asr(WHISPER, None, 2, MEMORY).sentence == (
        "whisper whisper-base on cpu, 2 workers with 1 slot of 1 thread; maie may use "
        "2 cores, and a chunk for each is the fastest"
    )


@pytest.mark.parametrize(
    ("set_", "workers", "chosen", "said"),
    [
        ({SLOTS: "1"}, 1, {THREADS: "4"}, "1 slot (MAIE_ASR_SLOTS) of 4 threads; maie may use 4"),
        ({SLOTS: "2"}, 1, {THREADS: "2"}, "2 slots (MAIE_ASR_SLOTS) of 2 threads;"),
        ({THREADS: "2"}, 2, {SLOTS: "1"}, "1 slot of 2 threads (MAIE_ASR_WHISPER_CPU_THREADS);"),
        ({THREADS: "3"}, 1, {SLOTS: "1"}, "1 slot of 3 threads (MAIE_ASR_WHISPER_CPU_THREADS);"),
        ({THREADS: "0"}, 4, {SLOTS: "1", THREADS: "1"}, "1 slot of 1 thread;"),
        ({"OMP_NUM_THREADS": "2"}, 2, {SLOTS: "1"}, "1 slot of 2 threads (OMP_NUM_THREADS);"),
        ({SLOTS: "many"}, 1, {THREADS: "4"}, "1 slot (MAIE_ASR_SLOTS)"),
        ({"MAIE_ASR_RESIDENCY": "shared-gpu"}, 1, {SLOTS: "4", THREADS: "1"}, "1 worker with 4"),
    ],
)
def test_what_a_person_set_stays(
    set_: dict[str, str], workers: int, chosen: dict[str, str], said: str
) -> None:
    fit = fit_asr(WHISPER | set_, None, 4, MEMORY)
    assert (fit.workers, without_live(fit)) == (workers, chosen)
    assert said in fit.sentence


def test_joined_requests_compute_one_at_a_time() -> None:
    fit = fit_asr(WHISPER | {"MAIE_ASR_WHISPER_CROSS_BATCH_SIZE": "8"}, 1, 4, MEMORY)
    assert fit.environment == {SLOTS: "4", THREADS: "4"}


def test_nothing_is_chosen_on_a_gpu_or_for_an_engine_of_others() -> None:
    gpu = WHISPER | {
        "MAIE_ASR_WHISPER_DEVICE": "cuda",
        "MAIE_ASR_WHISPER_MODEL_PATH": "/models/large-v3",
    }
    assert fit_asr(gpu, None, 16, MEMORY).environment == {}
    assert (
        fit_asr(gpu, None, 16, MEMORY).sentence == "whisper large-v3 on cuda, 1 worker with 1 slot"
    )
    assert fit_asr({"MAIE_ASR_ENGINE": "theirs"}, None, 16, MEMORY).environment == {}


def test_engines_without_threads_or_slots_take_what_they_can() -> None:
    sphinx = fit_asr({"MAIE_ASR_ENGINE": "pocketsphinx"}, 2, 4, MEMORY)
    assert sphinx.environment == {SLOTS: "2", LIVE_WORKERS: "2"}
    assert "pocketsphinx on cpu, 2 workers with 2 slots; maie may use 4 cores" in sphinx.sentence
    former = fit_asr({"MAIE_ASR_ENGINE": "chunkformer"}, None, 4, MEMORY)
    assert former.environment == {"MAIE_ASR_CHUNKFORMER_CPU_THREADS": "4"}
    sherpa = fit_asr({"MAIE_ASR_ENGINE": "sherpa"}, None, 4, MEMORY)
    assert without_live(sherpa) == {SLOTS: "4", "MAIE_ASR_SHERPA_CPU_THREADS": "1"}


def test_every_asr_worker_of_a_mesh_gets_its_share(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("maie_cli.mesh.parts.usable_cores", lambda: 8)
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
    unasked = plan(MeshOptions(data=tmp_path, port_base=0), layout)
    assert "asr-2" not in {part.name for part in unasked}  # slots that a person set


def test_a_mesh_has_as_many_asr_workers_as_fit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("maie_cli.mesh.parts.usable_cores", lambda: 2)
    layout = Layout(tmp_path)
    layout.create()
    options = MeshOptions(data=tmp_path, port_base=0, environment=WHISPER)
    monkeypatch.setattr("maie_cli.mesh.parts.has_voice", lambda _: False)
    assert {part.name for part in plan(options, layout)} == {
        *(
            "nats",
            "preprocess",
            "asr",
            "asr-2",
            "diarization",
            "quality",
            "alignment",
            "enhancement",
            "summary",
            "gateway",
        )
    }
