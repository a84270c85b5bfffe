"""Objects that have a secret leave it out where they are printed."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

pytestmark = pytest.mark.unit

ROOT = Path(__file__).parents[2]
NAMES = re.compile(r"(^|_)(secrets?|token|password|passphrase|api_key|authorization)$")
# What Python prints of a class by itself.
PRINTED = re.compile(r"dataclass|NamedTuple")


def printed_fields(source: str) -> Iterator[str]:
    """CLASS.FIELD of every field that is printed and is named like a secret."""
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.ClassDef):
            continue
        if not any(
            PRINTED.search(ast.unparse(each)) for each in (*node.decorator_list, *node.bases)
        ):
            continue
        for field in node.body:
            if isinstance(field, ast.AnnAssign) and _prints_a_secret(field):
                yield f"{node.name}.{ast.unparse(field.target)}"


def _prints_a_secret(field: ast.AnnAssign) -> bool:
    is_file_or_number = re.match(r"(Path|int|float|bool)\b", ast.unparse(field.annotation))
    hidden = "repr=False" in ast.unparse(field)
    return not hidden and not is_file_or_number and bool(NAMES.search(ast.unparse(field.target)))


def test_no_class_prints_its_secret() -> None:
    sources = [
        path
        for folder in ("libs", "services", "gateway")
        for path in (ROOT / folder).rglob("*.py")
        if "contracts" not in path.parts
    ]
    assert len(sources) > 300
    found = {
        f"{path.relative_to(ROOT)}: {name}"
        for path in sources
        for name in printed_fields(path.read_text(encoding="utf-8"))
    }
    assert not found


def test_a_class_that_prints_its_secret_is_found() -> None:
    source = """
@dataclass(frozen=True)
class Call:
    api_key: str
    resume_token: str = field(repr=False)
    secret: Path
    token: str | None = None

class Pair(NamedTuple):
    secret: bytes

class Server:
    password: str
"""
    assert list(printed_fields(source)) == ["Call.api_key", "Call.token", "Pair.secret"]
