"""Writes what the Helm chart takes from elsewhere: python -m tools.chart [--check].

A chart can read no file outside its folder: rules and dashboards are copied there. settings.json
has the settings that each stage reads, by which the chart refuses a name that none of them has.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from maie_core.redaction import FILE
from maie_core.secret_settings import is_secret
from maie_core.settings import MeshSettings, ServiceSettings, Settings
from maie_pipeline.bindings import BINDINGS
from maie_templates.settings import TemplateSettings
from maie_tls.names import GATEWAY, WEB
from maie_web.settings import WebSettings
from tools.settings_reference import SECTIONS, is_nested

ROOT = Path(__file__).parents[1]
FILES = ROOT / "helm/maie/files"
OBSERVABILITY = ROOT / "deploy/observability"
STAGES = (GATEWAY, WEB, *BINDINGS)


def settings() -> dict[str, list[str]]:
    """Which stages read each setting, by its variable."""
    found: dict[str, list[str]] = {}
    for _, kind in SECTIONS:
        prefix = kind.model_config.get("env_prefix", "")
        for name, field in kind.model_fields.items():
            if is_nested(field):
                continue
            variable = f"{prefix}{name}".upper()
            found[variable] = _readers(kind)
            if is_secret(field):
                found[f"{variable}{FILE}"] = found[variable]
    return dict(sorted(found.items()))


def _readers(kind: type[Settings]) -> list[str]:
    if issubclass(kind, MeshSettings):
        return list(STAGES)
    if issubclass(kind, TemplateSettings):
        return [GATEWAY, "summary"]
    if issubclass(kind, WebSettings):
        return [WEB]
    prefix = kind.model_config.get("env_prefix", "")
    return [next((slug for slug in BINDINGS if prefix.startswith(_prefix(slug))), GATEWAY)]


def _prefix(stage: str) -> str:
    return f"MAIE_{stage.upper()}_"


def slots() -> dict[str, int]:
    """How many units a worker of each stage takes unless its settings say otherwise."""
    return {
        slug: kind.model_fields["slots"].default
        for _, kind in SECTIONS
        for slug in BINDINGS
        if issubclass(kind, ServiceSettings)
        and kind.model_config.get("env_prefix") == _prefix(slug)
    }


def files() -> dict[Path, str]:
    """The files with their text."""
    found = {FILES / "settings.json": _known()}
    for pattern in ("rules/*.yaml", "dashboards/*.json"):
        for path in sorted(OBSERVABILITY.glob(pattern)):
            found[FILES / path.relative_to(OBSERVABILITY)] = path.read_text()
    return found


def _known() -> str:
    """The settings with their stages, a line for each, and what else the chart knows of stages."""
    lines = ",\n".join(f"  {json.dumps(name)}: {json.dumps(of)}" for name, of in settings().items())
    rest = {"slots": slots(), "stages": STAGES}
    return f'{{"settings": {{\n{lines}\n}},\n{json.dumps(rest)[1:]}\n'


def main() -> None:
    """Writes stale files; with --check it names them and exits with status 1 instead."""
    stale = {
        path: text
        for path, text in files().items()
        if not path.exists() or path.read_text() != text
    }
    for path, text in stale.items():
        if "--check" in sys.argv[1:]:
            print(f"{path.relative_to(ROOT)} is stale; run make generate")
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
    sys.exit(1 if stale and "--check" in sys.argv[1:] else 0)


if __name__ == "__main__":
    main()
