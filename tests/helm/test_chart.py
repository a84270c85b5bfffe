"""The chart renders to objects that are valid, agree with each other and fit the code.

No cluster is part of this: what an API server, a kubelet or a controller would say was never seen.
"""

from __future__ import annotations

import base64
import gzip
import json
import re
import shutil
from pathlib import Path

import pytest
import yaml

from tests.helm.checks import CHECKS
from tests.helm.golden.__main__ import text as golden_text
from tests.helm.rendering import (
    CHART,
    NAMESPACE,
    PROFILES,
    RELEASE,
    containers,
    helm,
    named,
    objects,
    of_kind,
    pods,
    rendered,
    variables,
)
from tests.helm.schemas import problems_of_schema
from tools import chart
from tools.version import version

pytestmark = pytest.mark.unit

GOLDEN = Path(__file__).with_name("golden")
# What etcd takes of one object, less a little.
MAX_SECRET_BYTES = 1_000_000
# `helm template` leaves NOTES.txt out.
NOTES_AS_OBJECT = """\
apiVersion: v1
kind: ConfigMap
metadata: {name: notes}
data:
  notes: {{ include "notes" . | quote }}
{{- define "notes" }}
"""
# Where values replace each other, the combinations that no profile has.
OTHERS = (
    ("pools", "--set", "broker.nkeys.enabled=false"),
    ("cpu-only", "--set", "nats.config.cluster.enabled=false,tls.certManager.enabled=true"),
    (
        "cpu-only",
        "--set",
        "metrics.enabled=false,broker.provision.enabled=false,test.enabled=false",
    ),
    ("cpu-only", "--set", "networkPolicy.enabled=false,serviceAccount.create=false"),
    ("cpu-only", "--set", "encryption.masterKeySecret=master,tls.certManager.enabled=true"),
    ("cpu-only", "--set", "objects.persistence.existingClaim=a,models.persistence.existingClaim=b"),
    ("cpu-only", "--set", "nameOverride=other,models.mirrorSecret=mirror"),
    ("live-heavy", "--set", "tls.gateway=proxy,traffic.kind=none"),
    ("live-heavy", "--set", "tls.web=proxy,components.web.scaling.kind=hpa"),
    ("pools", "--set", "tls.web=proxy,components.web.replicas=1"),
    ("cpu-only", "--set", "components.web.enabled=false"),
    ("live-heavy", "--set", "tls.gateway=mesh,components.asr-live.enabled=false"),
    (
        "pools",
        "--set",
        'traffic.gatewayApi.route=HTTPRoute,keda.authentication=a,keda.selector=job="maie"',
    ),
    ("pools", "--set", "nats.enabled=true,broker.url=,broker.tls.caSecret=maie-tls-nats"),
    ("shared-gpu", "--set", "fullnameOverride=a-very-long-name-of-a-mesh-in-a-large-company"),
)


@pytest.mark.parametrize("profile", PROFILES)
def test_helm_lints_without_a_warning(profile: str) -> None:
    said = helm("lint", "--strict", CHART, "-f", CHART / f"values/{profile}.yaml")
    assert "0 chart(s) failed" in said
    assert "WARNING" not in said


@pytest.mark.parametrize("check", CHECKS)
@pytest.mark.parametrize("profile", PROFILES)
def test_objects_are_well(profile: str, check: str) -> None:
    assert list(CHECKS[check](objects(profile))) == []


@pytest.mark.parametrize("options", OTHERS, ids=lambda options: options[-1])
def test_other_values_are_well(options: tuple[str, ...]) -> None:
    profile, *others = options
    found = objects(profile, *others)
    for name, check in CHECKS.items():
        made_outside = {"volumes"} if "existingClaim" in options[-1] else set()
        if name not in made_outside:
            assert list(check(found)) == [], name


def test_the_oldest_kubernetes_takes_what_needs_nothing_newer() -> None:
    oldest = yaml.safe_load((CHART / "Chart.yaml").read_text())["kubeVersion"]
    version = re.findall(r">=(\d+\.\d+)\.0", oldest)[0]
    assert problems_of_schema(objects("cpu-only"), version) == []


@pytest.mark.parametrize("profile", PROFILES)
def test_renders_are_as_before(profile: str) -> None:
    golden = GOLDEN / f"{profile}.yaml"
    assert golden.read_text() == golden_text(profile), "python -m tests.helm.golden; then git diff"


def test_copied_files_are_as_their_sources() -> None:
    for path, text in chart.files().items():
        assert path.read_text() == text, f"{path}: run make generate"
    generated = {path for path in chart.files() if path.parent != chart.FILES}
    there = {*chart.FILES.glob("rules/*"), *chart.FILES.glob("dashboards/*")}
    assert there == generated


def test_a_release_fits_into_its_secret() -> None:
    # Helm stores chart, values and manifest as gzip within base64, and Kubernetes base64 of that.
    stored = rendered("pools") + "".join(
        base64.b64encode(path.read_bytes()).decode()
        for path in CHART.rglob("*")
        if path.is_file() and path.suffix != ".tgz"
    )
    subchart = len(base64.b64encode(next(CHART.glob("charts/*.tgz")).read_bytes())) * 4
    size = len(base64.b64encode(gzip.compress(stored.encode()))) + subchart
    assert size < MAX_SECRET_BYTES


def test_a_stage_of_another_package_needs_no_change_of_the_chart() -> None:
    (pod,) = (
        each["spec"]["template"]
        for each in objects(
            "cpu-only",
            '--set-json=components.emotion={"image": {"repository": "acme/emotion"},'
            ' "settings": {"MAIE_EMOTION_SLOTS": 2, "MAIE_NATS_PINGS": 1000000}, "rpc": true}',
        )
        if each["metadata"]["name"] == f"{RELEASE}-maie-emotion" and each["kind"] == "Deployment"
    )
    (container,) = containers(pod)
    set_to = variables(container)
    assert container["image"] == f"acme/emotion:{version()}"
    assert set_to["MAIE_EMOTION_LISTEN"] == "0.0.0.0:50052"
    assert set_to["MAIE_EMOTION_ADVERTISE"] == "$(POD_IP):50052"
    assert set_to["MAIE_EMOTION_SLOTS"] == "2"
    assert set_to["MAIE_NATS_PINGS"] == "1000000"
    secrets = {each["name"]: each.get("secret", {}) for each in pod["spec"]["volumes"]}
    assert secrets["nkey"]["secretName"] == "maie-nkey-emotion"
    assert secrets["tls"]["secretName"] == "maie-tls-emotion"


def test_workers_alone_can_join_a_mesh_elsewhere() -> None:
    found = objects(
        "pools",
        *("--set", "components.gateway.enabled=false,components.web.enabled=false"),
        *("--set", "traffic.kind=none,broker.provision.enabled=false"),
        *("--set", "components.synthesis.rpc=false"),
    )
    assert not of_kind(found, "Service", "Pod", "Job", "GRPCRoute")
    for name, check in CHECKS.items():
        assert list(check(found)) == [], name


def test_the_versions_are_those_of_the_code() -> None:
    own = yaml.safe_load((CHART / "Chart.yaml").read_text())
    pyproject = (CHART / "../../gateway/pyproject.toml").read_text()
    assert f'version = "{own["appVersion"]}"' in pyproject
    dependency = own["dependencies"][0]
    assert [path.name for path in CHART.glob("charts/*")] == [
        f"{dependency['name']}-{dependency['version']}.tgz"
    ]


def test_rules_and_dashboards_arrive_unchanged() -> None:
    found = objects("pools")
    rules = next(each for each in found if each["kind"] == "PrometheusRule")["spec"]["groups"]
    wanted = [
        group
        for path in sorted(chart.OBSERVABILITY.glob("rules/*.yaml"))
        for group in yaml.safe_load(path.read_text())["groups"]
    ]
    assert rules == wanted
    boards = next(each for each in found if each["metadata"]["name"].endswith("-dashboards"))[
        "data"
    ]
    for path in chart.OBSERVABILITY.glob("dashboards/*.json"):
        assert json.loads(boards[f"maie-{path.name}"]) == json.loads(path.read_text())


def test_an_alert_can_be_left_out() -> None:
    option = 'metrics.rules={"enabled": true, "without": ["MaieStageWithoutWorkers", "MaieDown"]}'
    (rules,) = of_kind(objects("pools", "--set-json", option), "PrometheusRule")
    left = {rule.get("alert") for group in rules["spec"]["groups"] for rule in group["rules"]}
    assert "MaieDeadLetters" in left
    assert not left & {"MaieStageWithoutWorkers", "MaieDown"}


def test_pods_do_not_start_anew_for_a_new_version_of_the_chart_alone(tmp_path: Path) -> None:
    copy = shutil.copytree(CHART, tmp_path / "maie")
    about = (copy / "Chart.yaml").read_text()
    own = yaml.safe_load(about)["version"]
    (copy / "Chart.yaml").write_text(about.replace(f"version: {own}", "version: 9.9.9", 1))
    before, after = (
        {name: pod for name, pod in pods(objects("pools", chart=each)) if "Deployment" in name}
        for each in (CHART, copy)
    )
    assert before == after


def test_a_job_that_changes_has_another_name() -> None:
    # The API server takes no change of a Job's template, so an upgrade would fail.
    names, specs = [], []
    for options in ((), ("--set", "podSecurityContext.fsGroup=20000"), ("--set", "image.tag=v2")):
        (job,) = (
            each
            for each in of_kind(objects("cpu-only", *options), "Job")
            if "-model-" in each["metadata"]["name"]
        )
        names.append(job["metadata"]["name"])
        specs.append(json.dumps(job["spec"]))
    assert len(set(names)) == len(set(specs)) == 3


def test_names_carry_the_release_and_no_namespace() -> None:
    # Helm sets the namespace; a fixed one would break `-n`.
    for each in objects("cpu-only"):
        assert "namespace" not in each["metadata"]
        ours = each["metadata"].get("labels", {}).get("app.kubernetes.io/name") == "maie"
        if ours and each["kind"] != "Certificate":
            assert each["metadata"]["name"].startswith(f"{RELEASE}-maie")
    assert NAMESPACE in rendered("live-heavy")


@pytest.mark.parametrize("profile", PROFILES)
def test_the_notes_name_each_secret_that_pods_wait_for(profile: str, tmp_path: Path) -> None:
    copy = shutil.copytree(CHART, tmp_path / "maie")
    notes = copy / "templates/NOTES.txt"
    (copy / "templates/notes.yaml").write_text(NOTES_AS_OBJECT + notes.read_text() + "{{- end }}")
    found = objects(profile, chart=copy)
    said = named(found, "ConfigMap", "notes")["data"]["notes"]
    waited_for = set()
    for _, pod in pods(found):
        waited_for |= {
            volume["secret"]["secretName"]
            for volume in pod["spec"].get("volumes", ())
            if "secret" in volume
        }
        for container in containers(pod):
            waited_for |= {
                each["valueFrom"]["secretKeyRef"]["name"]
                for each in container.get("env", ())
                if "secretKeyRef" in each.get("valueFrom", {})
            }
    assert waited_for == set(re.findall(r"^  ([\w-]+)$", said, re.MULTILINE))
