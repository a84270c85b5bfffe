"""The options of `maie up` are checked before anything starts."""

import json

import pytest

from maie_cli.mesh.errors import MeshError
from maie_cli.mesh.layout import Layout
from maie_cli.mesh.options import MeshOptions
from maie_cli.mesh.parts import plan
from maie_pipeline.bindings import BINDINGS

pytestmark = pytest.mark.unit


@pytest.fixture
def planned(tmp_path):
    def make(**chosen):
        layout = Layout(tmp_path)
        layout.create()
        return {
            part.name: part
            for part in plan(MeshOptions(data=tmp_path, port_base=0, **chosen), layout)
        }

    return make


def test_the_broker_starts_first_and_the_gateway_last(planned):
    parts = list(planned(workers={"asr": 1}))
    assert parts == ["nats", *BINDINGS, "gateway"]


def test_further_workers_have_names_and_addresses_of_their_own(planned):
    parts = planned(workers={"asr": 3})
    assert [name for name in parts if name.startswith("asr")] == ["asr", "asr-2", "asr-3"]
    assert len({part.address for part in parts.values()}) == len(parts)
    assert parts["asr-3"].environment["MAIE_ASR_LISTEN"] == parts["asr-3"].address
    assert parts["asr-3"].environment["MAIE_ASR_INSTANCE"] == "asr-3"


def test_every_part_knows_the_broker_and_the_store(planned, tmp_path):
    parts = planned()
    for name in (*BINDINGS, "gateway"):
        environment = parts[name].environment
        assert environment["MAIE_NATS_URL"] == f"nats://{parts['nats'].address}"
        assert environment["MAIE_BLOB_URL"] == (tmp_path / "blobs").as_uri()


def test_the_broker_syncs_every_write(planned, tmp_path):
    planned()
    assert '"sync_interval": "always"' in (tmp_path / "run" / "nats-server.conf").read_text()


@pytest.mark.parametrize(
    ("chosen", "sentence"),
    [
        ({"profile": "cloud"}, "no profile 'cloud'; choose from embedded, tiny, gpu, shared-gpu"),
        ({"profile": "gpu"}, "MAIE_ASR_WHISPER_MODEL_PATH"),
        ({"profile": "shared-gpu"}, "MAIE_ASR_WHISPER_MODEL_PATH"),
        ({"workers": {"asr": 0}}, "1 to 64 workers, not 0"),
        ({"workers": {"tts": 1}}, "no stage 'tts'"),
    ],
)
def test_what_cannot_be_is_refused_with_a_sentence(planned, monkeypatch, chosen, sentence):
    monkeypatch.delenv("MAIE_ASR_WHISPER_MODEL_PATH", raising=False)
    with pytest.raises(MeshError, match=sentence):
        planned(**chosen)


def test_a_shared_gpu_is_shared_by_all_that_use_it(planned, monkeypatch, tmp_path):
    monkeypatch.setenv("MAIE_ASR_WHISPER_MODEL_PATH", str(tmp_path))
    monkeypatch.setenv("MAIE_SUMMARY_VLLM_MODEL_PATH", str(tmp_path))
    with pytest.raises(MeshError, match="a language model: set MAIE_ENHANCEMENT_VLLM_MODEL_PATH"):
        planned(profile="shared-gpu")
    # Without the engine its model is not asked for.
    monkeypatch.setenv("MAIE_ENHANCEMENT_ENGINE", "rules")
    environment = planned(profile="shared-gpu")["summary"].environment
    for service in ("ASR", "ENHANCEMENT", "SUMMARY"):
        assert environment[f"MAIE_{service}_RESIDENCY"] == "shared-gpu"
        assert environment[f"MAIE_{service}_GPU"] == environment["MAIE_ASR_GPU"]


def test_the_profile_chooses_engines_and_a_persons_own_setting_wins(planned, monkeypatch):
    monkeypatch.setenv("MAIE_SUMMARY_ENGINE", "mine")
    environment = planned(environment={"MAIE_ASR_SLOTS": "2"})["asr"].environment
    assert environment["MAIE_ASR_ENGINE"] == "whisper"
    assert environment["MAIE_SUMMARY_ENGINE"] == "mine"
    assert environment["MAIE_ASR_SLOTS"] == "2"
    assert planned(profile="tiny")["asr"].environment["MAIE_ASR_ENGINE"] == "pocketsphinx"


def test_each_process_serves_its_metrics_at_a_port_of_its_own(planned, monkeypatch, tmp_path):
    monkeypatch.setenv("MAIE_METRICS_LISTEN", "127.0.0.1:0")
    listens = {
        name: part.environment["MAIE_METRICS_LISTEN"]
        for name, part in planned().items()
        if name != "nats"
    }
    assert len(set(listens.values())) == len(listens)
    (file,) = tmp_path.rglob("metrics.json")
    listed = {each["labels"]["part"]: each["targets"] for each in json.loads(file.read_text())}
    assert listed == {name: [listen] for name, listen in listens.items()}


def test_without_the_setting_no_process_serves_metrics(planned, tmp_path):
    assert not any(part.environment.get("MAIE_METRICS_LISTEN") for part in planned().values())
    assert not list(tmp_path.rglob("metrics.json"))
