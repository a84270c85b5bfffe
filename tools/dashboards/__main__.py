"""Writes the dashboards, or checks that they are what the code makes."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.dashboard import Dashboard

from tools.dashboards.mesh import DASHBOARDS

FOLDER = Path(__file__).parents[2] / "deploy/observability/dashboards"


def text_of(dashboard: Dashboard) -> str:
    """A dashboard as Grafana reads it."""
    return json.dumps(json.loads(JSONEncoder().encode(dashboard)), indent=2, sort_keys=True) + "\n"


def main() -> None:
    """Writes the files; with --check, exits with status 1 where one differs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true")
    check = parser.parse_args().check
    for name, make in DASHBOARDS.items():
        path, text = FOLDER / f"{name}.json", text_of(make())
        if not check:
            path.write_text(text)
        elif not path.exists() or path.read_text() != text:
            sys.exit(f"{path} is not what tools/dashboards makes; run make generate.")


if __name__ == "__main__":
    main()
