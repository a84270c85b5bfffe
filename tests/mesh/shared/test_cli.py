"""The `maie` command over a real mesh, as a person or a script uses it."""

import json
import os
import signal
import subprocess

import psutil
import pytest

from maie_client import FEATURES
from maie_pipeline.bindings import BINDINGS
from tests.cli.command import MAIE
from tests.mesh.conftest import start_mesh, write_wav
from tests.mesh.stages import JOB_STAGES
from tests.waiting import PATIENCE_SECONDS

pytestmark = pytest.mark.mesh

WORDS = "good morning everyone let us start with the release"
NOWHERE = "127.0.0.1:1"


@pytest.fixture(scope="module")
def processed(maie, short_recording, tmp_path_factory):
    """One job with everything, printed as JSON and written as files."""
    folder = tmp_path_factory.mktemp("results")
    # There is nothing in the summary of so few words that could be spoken.
    features = [each for each in FEATURES if each != "digest"]
    text = tmp_path_factory.mktemp("text") / "text.txt"
    text.write_text(WORDS)
    done = maie(
        "process",
        short_recording,
        "--json",
        *("--template", "meeting_notes_v1", "--output", folder, "--reading-text", text),
        *(argument for feature in features for argument in ("--feature", feature)),
    )
    assert done.returncode == 0, done.stderr
    return done, json.loads(done.stdout), folder


def failed_with(done: subprocess.CompletedProcess, code: int, *fragments: str) -> None:
    assert done.returncode == code, done.stderr
    assert done.stdout == ""
    assert "Traceback" not in done.stderr
    errors = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    assert len(errors) == 1, done.stderr
    assert all(fragment in errors[0] for fragment in fragments), errors[0]


def test_json_is_one_object_with_the_names_of_the_contract(processed):
    done, value, _ = processed
    assert len(done.stdout.splitlines()) == 1
    assert {"job_id", "state", "results", "metrics", "versions"} <= value.keys()
    assert value["state"] == "COMPLETE"
    assert {"raw_transcript", "clean_transcript", "segments", "summary"} <= value["results"].keys()
    assert value["results"]["raw_transcript"].startswith(WORDS)
    assert value["results"]["summary"]["content"]
    assert [each["stage"] for each in value["versions"]["stages"]] == [
        stage for stage in JOB_STAGES if stage != "synthesis"
    ]


def test_progress_goes_to_stderr(processed):
    done, value, _ = processed
    assert f"accepted as job {value['job_id']}" in done.stderr
    assert "COMPLETE" in done.stderr
    assert "\x1b" not in done.stderr + done.stdout


def test_every_format_is_written_under_a_safe_name(processed):
    done, _, folder = processed
    names = sorted(path.name for path in folder.iterdir())
    kinds = ("json", "md", "rttm", "srt", "tsv", "txt", "vtt")
    assert names == [f"two-sentences.{kind}" for kind in kinds]
    assert all(str(folder / name) in done.stderr for name in names)
    assert "morning" in (folder / "two-sentences.txt").read_text()
    assert " --> " in (folder / "two-sentences.srt").read_text()
    assert (folder / "two-sentences.vtt").read_text().startswith("WEBVTT\n")
    assert "## Transcript" in (folder / "two-sentences.md").read_text()


def test_results_alone_go_to_stdout(maie, short_recording):
    done = maie("process", short_recording, "--feature", "raw_transcript", "--format", "txt", "-q")
    assert done.returncode == 0
    assert done.stdout.startswith(WORDS)
    assert done.stderr == ""


@pytest.mark.slow
def test_several_recordings_keep_their_order_and_one_that_fails_harms_no_other(
    maie, short_recording, tmp_path
):
    words = tmp_path / "words.wav"
    words.write_text("These are words, and no recording of any. " * 100)
    missing = tmp_path / "missing.wav"
    done = maie(
        *("process", words, short_recording, missing, short_recording),
        *("--json", "--feature", "raw_transcript"),
    )
    assert done.returncode == 2
    values = [json.loads(line) for line in done.stdout.splitlines()]
    complete = [value for value in values if value["state"] == "COMPLETE"]
    assert len(complete) == 2
    assert complete[0]["results"]["raw_transcript"] == complete[1]["results"]["raw_transcript"]
    errors = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    assert [error.split(": ")[1] for error in errors] == [str(words), str(missing)]


def test_wrong_input_is_one_line_and_status_2(maie, short_recording, tmp_path):
    failed_with(maie("process", tmp_path / "none.wav", "-q"), 2, "There is no file", "none.wav")
    failed_with(maie("process", tmp_path, "-q"), 2, "directory")
    empty = tmp_path / "empty.wav"
    empty.touch()
    failed_with(maie("process", empty, "-q"), 2, "empty")
    needs = maie("process", short_recording, "--feature", "summary", "-q")
    failed_with(needs, 2, "template")
    failed_with(maie("process", short_recording, "--template", "none", "-q"), 2, "none")


def test_a_recording_under_a_second_is_refused_with_status_2(maie, tmp_path):
    path = tmp_path / "short.wav"
    write_wav(path, bytes(16_000))
    done = maie("process", path, "-q")
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_an_unknown_feature_is_wrong_usage(maie, short_recording):
    done = maie("process", short_recording, "--feature", "poem")
    assert done.returncode == 2
    assert "raw_transcript" in done.stderr


@pytest.mark.parametrize(
    "command", [("process", "FILE"), ("jobs", "list"), ("models",), ("templates",)]
)
def test_no_gateway_is_one_line_and_status_3(maie, short_recording, command):
    arguments = (short_recording if each == "FILE" else each for each in command)
    failed_with(maie(*arguments, gateway=NOWHERE), 3, NOWHERE, "maie up")


def test_jobs_are_listed_shown_and_watched_again(maie, processed):
    _, value, _ = processed
    job_id = value["job_id"]
    listed = [
        json.loads(line)["job_id"] for line in maie("jobs", "list", "--json").stdout.splitlines()
    ]
    assert job_id in listed
    assert job_id in maie("jobs", "list", "--state", "COMPLETE").stdout
    assert json.loads(maie("jobs", "show", job_id, "--json").stdout) == value
    watched = maie("jobs", "watch", job_id, "--json")
    assert json.loads(watched.stdout)["results"] == value["results"]
    assert "PROCESSING_ASR" in watched.stderr
    assert maie("jobs", "cancel", job_id).stdout == f"{job_id} COMPLETE\n"


def test_a_job_that_is_not_there_is_status_2(maie):
    failed_with(maie("jobs", "show", "01234567-89ab-7def-8123-456789abcdef"), 2)


def test_models_and_templates_are_listed(maie):
    models = [json.loads(line) for line in maie("models", "--json").stdout.splitlines()]
    assert {model["stage"] for model in models} == {*BINDINGS}
    assert "pocketsphinx" in maie("models").stdout
    assert "meeting_notes_v1" in maie("templates").stdout


def test_doctor_finds_a_mesh_that_is_well(maie, shared_mesh):
    done = maie(
        "doctor",
        "--no-measure",
        "--gateway",
        shared_mesh.gateway,
        "--data",
        shared_mesh.layout.root,
    )
    assert done.returncode == 0, done.stdout
    for part in ("nats-server", "asr engine", "templates", "broker", "summary workers", "versions"):
        assert f"ok      {part}: " in done.stdout
    assert "not ok" not in done.stdout


@pytest.mark.slow
def test_doctor_says_how_to_mend_what_is_not_well(maie, tmp_path):
    file = tmp_path / "file"
    file.touch()
    done = maie("doctor", "--no-measure", "--data", file / "data", gateway=NOWHERE)
    assert done.returncode == 1
    assert "not ok  data folder: " in done.stdout
    assert f"not ok  gateway: none answers at {NOWHERE} → start one with: maie up" in done.stdout


@pytest.mark.slow
def test_doctor_says_what_answers_in_place_of_a_gateway(maie, shared_mesh):
    stage = shared_mesh.layout.address_file("asr").read_text()
    done = maie("doctor", "--no-measure", "--gateway", stage)
    assert done.returncode == 1
    assert (
        f"not ok  gateway: the asr service of a mesh answers at {stage}, and not its gateway → "
        "name the gateway's own address with --gateway" in done.stdout
    )


def test_a_second_mesh_in_the_same_folder_is_refused(maie, shared_mesh):
    done = maie("up", "--data", shared_mesh.layout.root, "--port-base", "0")
    assert done.returncode == 1
    assert f"process {shared_mesh.process.pid}" in done.stderr
    assert set(shared_mesh.pids()) == {*("nats", *BINDINGS, "gateway", "web")}


@pytest.mark.slow
def test_a_gateway_that_is_killed_in_mid_job_costs_nothing(shared_mesh, short_recording):
    with subprocess.Popen(
        [str(MAIE), "process", str(short_recording), "--json", "--feature", "raw_transcript"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "MAIE_GATEWAY": shared_mesh.gateway},
    ) as process:
        assert process.stderr is not None
        for line in process.stderr:
            if "PROCESSING_ASR" in line:
                break
        killed = shared_mesh.pids()["gateway"]
        os.kill(killed, signal.SIGKILL)
        output, errors = process.communicate(timeout=PATIENCE_SECONDS)
    assert process.returncode == 0, errors
    assert json.loads(output)["results"]["raw_transcript"].startswith(WORDS)
    assert shared_mesh.pids()["gateway"] != killed


@pytest.mark.slow
def test_a_mesh_leaves_no_process_behind_and_keeps_its_jobs(tmp_path, maie, short_recording):
    data = tmp_path / "data"
    command = ("process", short_recording, "--json", "--feature", "raw_transcript")
    first = start_mesh(data, "--profile", "tiny")
    with first.process:
        done = json.loads(maie(*command, gateway=first.gateway).stdout)
        family = psutil.Process(first.process.pid).children(recursive=True)
        assert {each.pid for each in family} > set(first.pids().values())
        first.process.kill()
    assert_gone(family)
    again = start_mesh(data, "--profile", "tiny")
    with again.process:
        family = psutil.Process(again.process.pid).children(recursive=True)
        shown = maie("jobs", "show", done["job_id"], "--json", gateway=again.gateway)
        assert json.loads(shown.stdout) == done
        assert again.stop() == 0
    assert_gone(family)
    assert again.pids() == {}


def assert_gone(processes: list[psutil.Process]) -> None:
    _, alive = psutil.wait_procs(processes, timeout=PATIENCE_SECONDS)
    assert [each for each in alive if each.status() != psutil.STATUS_ZOMBIE] == []
