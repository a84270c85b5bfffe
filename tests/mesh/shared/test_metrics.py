"""What docs/metrics.md says of metrics is what Prometheus reads of a mesh that works."""

from __future__ import annotations

import re
import time
from pathlib import Path

import pytest

from maie_pipeline.bindings import BINDINGS
from tests.mesh.conftest import ROOT, RunningMesh, sample_audio, write_wav
from tests.mesh.scraping import Family, scrape
from tests.mesh.shared.test_job_actions import Run
from tests.mesh.stages import DIGEST, JOB_STAGES
from tests.waiting import PATIENCE_SECONDS, until

pytestmark = pytest.mark.mesh

ROW = re.compile(r"^\| `((?:maie|rpc)_\w+)` \| ([^|]+?) \| (\w+) \| ([^|]*)\|", re.MULTILINE)
STAGES = set(BINDINGS)
PARTS = {"all": STAGES | {"gateway"}, "workers": STAGES, "gateways": {"gateway"}, "web": {"web"}}


@pytest.fixture(scope="module")
def worked(
    shared_mesh: RunningMesh,
    maie: Run,
    short_recording: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    """A recording, one without speech, and a live session have gone through the mesh."""
    folder = tmp_path_factory.mktemp("metrics")
    silent, spoken = folder / "silent.wav", folder / "spoken.wav"
    write_wav(silent, bytes(32_000 * 3))
    write_wav(spoken, sample_audio(5.0))
    everything = ("--template", "meeting_notes_v1", "--speakers", "auto")
    spoken_too = [part for name in DIGEST for part in ("--feature", "summary", "--feature", name)]
    assert maie("process", short_recording, *everything, *spoken_too).returncode == 0
    text = folder / "text.txt"
    text.write_text("Good morning everyone.")
    asked = ("--feature", "raw_transcript", "--feature", "quality", "--feature", "reading")
    assert maie("process", silent, *asked, "--reading-text", text).returncode == 0
    # On a busy machine partial results are left out, so that finals are not late.
    ends = time.monotonic() + PATIENCE_SECONDS
    while True:
        assert maie("live", spoken, "--json").returncode == 0
        if "maie_live_partial_latency_seconds" in scrape(shared_mesh.layout.metrics_file):
            return
        assert time.monotonic() < ends, "no partial result came"


@pytest.fixture(scope="module")
def families(shared_mesh: RunningMesh, worked: None) -> dict[str, Family]:
    """The metrics of the mesh after that."""
    return scrape(shared_mesh.layout.metrics_file)


def parts_of(named: str) -> set[str]:
    """The parts that the table names, such as "asr, summary" or "gateways, whole mesh"."""
    return {
        part for name in named.split(", ") for part in PARTS.get(name, STAGES.intersection([name]))
    }


def total(family: Family, series: str, **labels: str) -> float:
    """The sum of a metric's series with these labels, over all parts."""
    return sum(
        value
        for (name, own), value in family.values.items()
        if name == series and labels.items() <= dict(own).items()
    )


def test_the_table_of_metrics_is_what_a_mesh_serves(families: dict[str, Family]) -> None:
    table = {
        name: (kind, set(re.findall(r"`(\w+)`", labels)), parts_of(parts))
        for name, parts, kind, labels in ROW.findall((ROOT / "docs/metrics.md").read_text())
    }
    served = {name: (each.kind, each.labels) for name, each in families.items()}
    assert served == {name: (kind, labels) for name, (kind, labels, _) in table.items()}
    for name, (_, _, parts) in table.items():
        # Only parts that were called have calls.
        assert families[name].parts <= parts, name
        calls = name.startswith(("rpc_", "maie_audio", "maie_res"))
        assert calls or parts - families[name].parts <= STAGES - set(JOB_STAGES), name


def test_work_is_counted_where_it_is_done(families: dict[str, Family]) -> None:
    for stage in JOB_STAGES:
        series = "maie_unit_duration_seconds_count"
        done = {"stage": stage, "kind": "unit", "outcome": "completed"}
        assert total(families["maie_unit_duration_seconds"], series, **done) >= 1
        assert total(families["maie_worker_memory_bytes"], "maie_worker_memory_bytes", stage=stage)
    audio = families["maie_audio_processed_seconds_total"]
    assert total(audio, "maie_audio_processed_seconds_total", stage="preprocess") >= 9
    warned = families["maie_results_warned_total"]
    assert total(warned, "maie_results_warned_total", reason="NO_SPEECH") >= 1
    jobs = families["maie_job_duration_seconds"]
    complete = {"state": "complete", "pipeline": "recording"}
    assert total(jobs, "maie_job_duration_seconds_count", **complete) >= 2
    uploads = families["maie_uploads_total"]
    assert total(uploads, "maie_uploads_total", outcome="complete") >= 2
    size = families["maie_upload_size_bytes_total"]
    assert total(size, "maie_upload_size_bytes_total") >= 9 * 32_000
    live = families["maie_live_final_latency_seconds"]
    assert total(live, "maie_live_final_latency_seconds_count") >= 1


def test_calls_count_by_method_and_status(maie: Run, shared_mesh: RunningMesh) -> None:
    def calls(method: str, status: str) -> float:
        family = scrape(shared_mesh.layout.metrics_file)["rpc_server_call_duration_seconds"]
        labels = {"rpc_method": method, "rpc_response_status_code": status}
        return total(family, "rpc_server_call_duration_seconds_count", **labels)

    method = "maie.job.v1.JobService/GetJob"
    before = calls(method, "NOT_FOUND")
    absent = "00000000-0000-7000-8000-000000000000"
    assert maie("jobs", "show", absent).returncode != 0
    assert calls(method, "NOT_FOUND") == before + 1


async def test_the_mesh_is_ready_and_nothing_waits(shared_mesh: RunningMesh, worked: None) -> None:
    def idle() -> bool:
        found = scrape(shared_mesh.layout.metrics_file)
        units = found["maie_queue_units"]
        return not total(units, "maie_queue_units")

    await until(idle)
    found = scrape(shared_mesh.layout.metrics_file)
    assert total(found["maie_ready"], "maie_ready") == len(STAGES) + 2  # gateway and web part
    assert total(found["maie_broker_connected"], "maie_broker_connected") == len(STAGES) + 1
    assert total(found["maie_demand_units"], "maie_demand_units") == 0
