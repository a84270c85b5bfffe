"""Adds licences to CycloneDX lists of packages: `python -m tools.sbom FILE...`.

They are those of docs/licences.md, from the metadata of the installed packages.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from packaging.licenses import InvalidLicenseExpression, canonicalize_license_expression

from tools.licences import stated_licences


def with_licences(document: dict[str, Any]) -> dict[str, Any]:
    """The document with the licence of each component; without one where none is known.

    Args:
        document: A CycloneDX document of the packages of a lock.
    """
    licences = stated_licences(each["name"] for each in document["components"])
    components = [
        {**each, "licenses": [_licence(licences[each["name"]])]} if licences[each["name"]] else each
        for each in document["components"]
    ]
    return {**document, "components": components}


def unlicensed(document: dict[str, Any]) -> list[str]:
    """The components without a licence."""
    return [each["name"] for each in document["components"] if not each.get("licenses")]


def _licence(stated: str) -> dict[str, Any]:
    """A licence as CycloneDX has it: an expression of SPDX, or else the words of the package."""
    declared = {"acknowledgement": "declared"}
    try:
        return {"expression": canonicalize_license_expression(stated), **declared}
    except InvalidLicenseExpression:
        return {"license": {"name": stated, **declared}}


def main() -> None:
    """Rewrites the files, and prints which packages have no licence that is known here."""
    for path in map(Path, sys.argv[1:]):
        document = with_licences(json.loads(path.read_text(encoding="utf-8")))
        path.write_text(json.dumps(document, indent=2, sort_keys=True) + "\n", encoding="utf-8")
        without = ", ".join(unlicensed(document)) or "none"
        print(
            f"· {path}: {len(document['components'])} packages; without a known licence: {without}"
        )


if __name__ == "__main__":
    main()
