"""Loads the English rules from `english.toml`."""

from __future__ import annotations

import hashlib
import tomllib
from importlib.resources import files
from typing import Any

RULE_FILES = (
    "boundaries.py",
    "casing.py",
    "english.py",
    "english.toml",
    "punctuate.py",
    "questions.py",
)


def load_rules() -> dict[str, Any]:
    """The tables of `english.toml`."""
    return tomllib.loads((files(__package__) / "english.toml").read_text(encoding="utf-8"))


def rules_sha256() -> str:
    """The SHA-256 over the rules' data and code, in name order."""
    digest = hashlib.sha256()
    for name in RULE_FILES:
        digest.update((files(__package__) / name).read_bytes())
    return digest.hexdigest()
