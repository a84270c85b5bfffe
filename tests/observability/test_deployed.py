"""Rules, dashboards and runbook of deploy/observability agree with each other and the code."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from typing import Any

import pytest
import yaml
from grafana_foundation_sdk.models.dashboard import Dashboard

from tests.cli import command
from tests.observability.queries import FOLDER, named, queries, rules
from tools.dashboards.__main__ import text_of
from tools.dashboards.mesh import DASHBOARDS

pytestmark = pytest.mark.unit

RUNBOOK = (FOLDER / "runbook.md").read_text()
ALERTS = [rule["alert"] for rule in rules("alerts")]
PARTS = ("**Means.**", "**Look at.**", "```shell", "**Do.**")


def test_each_query_parses() -> None:
    found = list(queries())
    assert len(found) > 80
    for _, query in found:
        named(query)


@pytest.mark.parametrize("name", DASHBOARDS)
def test_dashboards_are_what_the_code_makes(name: str) -> None:
    path = FOLDER / f"dashboards/{name}.json"
    assert path.read_text() == text_of(DASHBOARDS[name]()), "run make generate"


@pytest.mark.parametrize("name", DASHBOARDS)
def test_dashboards_are_of_grafanas_published_schema(name: str) -> None:
    # What the types do not know is lost in them, so it would be missing.
    shown = json.loads((FOLDER / f"dashboards/{name}.json").read_text())
    assert json.loads(text_of(Dashboard.from_json(shown))) == shown
    ids = [panel["id"] for panel in shown["panels"]]
    assert len(set(ids)) == len(ids)


@pytest.mark.parametrize("name", DASHBOARDS)
def test_panels_do_not_overlap(name: str) -> None:
    taken: set[tuple[int, int]] = set()
    for panel in json.loads((FOLDER / f"dashboards/{name}.json").read_text())["panels"]:
        at = panel["gridPos"]
        assert at["x"] + at["w"] <= 24
        for x in range(at["x"], at["x"] + at["w"]):
            for y in range(at["y"], at["y"] + at["h"]):
                assert (x, y) not in taken
                taken.add((x, y))


def test_each_alert_has_an_entry_and_nothing_else_has() -> None:
    assert re.findall(r"^## (\w+)$", RUNBOOK, re.MULTILINE) == ALERTS
    for rule in rules("alerts"):
        name = rule["alert"]
        assert rule["annotations"]["runbook_url"] == f"runbook.md#{name.lower()}"
        assert rule["labels"]["severity"] in ("page", "ticket")
        entry = RUNBOOK.partition(f"## {name}\n")[2].partition("\n## ")[0]
        places = [entry.index(part) for part in PARTS]
        assert places == sorted(places)


def test_the_commands_of_the_runbook_exist() -> None:
    named_ones = set(re.findall(r"\bmaie ((?:\w[a-z-]+ ?)+)", RUNBOOK))
    assert named_ones
    for words in named_ones:
        code, _, errors = command.run(*words.split(), "--help", environment={})
        assert code == 0, f"maie {words}: {errors}"


def test_the_settings_of_the_runbook_exist() -> None:
    settings = (FOLDER / "../../docs/settings.md").read_text()
    for name in set(re.findall(r"MAIE_[A-Z_]+", RUNBOOK)) - {"MAIE_GATEWAY"}:
        assert f"`{name}`" in settings, name


def test_each_alert_is_tested_to_fire_and_not_to_fire() -> None:
    document = yaml.safe_load((FOLDER / "rules/tests/alerts.yaml").read_text())
    fires: set[str] = set()
    for test in document["tests"]:
        before, after = test["promql_expr_test"]
        assert "exp_samples" not in before, "first, nothing fires"
        fires |= {
            re.findall(r'"(\w+)"', each["labels"])[0] for each in after.get("exp_samples", ())
        }
    assert fires == set(ALERTS)


@pytest.mark.skipif(not shutil.which("promtool"), reason="promtool is missing: make promtool")
@pytest.mark.parametrize("what", ["check rules", "test rules"])
def test_promtool_accepts_the_rules_and_runs_their_tests(what: str) -> None:
    files = (FOLDER / ("rules" if what == "check rules" else "rules/tests")).glob("*.yaml")
    done = subprocess.run(
        ["promtool", *what.split(), *map(str, files)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_each_part_of_the_collectors_pipelines_is_defined() -> None:
    config: dict[str, Any] = yaml.safe_load((FOLDER / "collector.yaml").read_text())
    used: dict[str, set[str]] = {"receivers": set(), "processors": set(), "exporters": set()}
    for pipeline in config["service"]["pipelines"].values():
        for kind, names in used.items():
            names |= set(pipeline[kind])
    assert used == {kind: set(config[kind]) for kind in used}
