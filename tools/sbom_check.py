"""Checks files against the schema of CycloneDX; runs in .venv-audit, which has it."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator


def main() -> None:
    """Exits with status 1 at the first file that is no CycloneDX."""
    for path in map(Path, sys.argv[1:]):
        text = path.read_text(encoding="utf-8")
        version = SchemaVersion.from_version(json.loads(text)["specVersion"])
        if error := JsonStrictValidator(version).validate_str(text):
            sys.exit(f"{path}: {error}")


if __name__ == "__main__":
    main()
